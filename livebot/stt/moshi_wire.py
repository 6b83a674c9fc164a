"""moshi-server's wire: msgpack maps with a `type`, four messages in and six out.

Audio goes as raw samples. `OggOpus` would spare bandwidth, but the bot has decoded the
Opus of the call already and would have to encode it anew: 1 ms of CPU per second of
speech against 0.05 ms for this, and a loss of quality, to save 0.9 Mbit/s of a link that
usually ends on the same machine.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import ormsgpack

from livebot.audio.pcm import Samples
from livebot.errors import EngineError

FRAME = 1_920
"""Samples per step of the model: 80 ms."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A channel is ours. Servers that are not batched never say it."""


@dataclass(frozen=True, slots=True)
class WordStarted:
    """A word, known with the padding that follows it.

    Attributes:
        text: The word; may be empty at the very start.
        start_s: Seconds from the channel's first sample.
    """

    text: str
    start_s: float


@dataclass(frozen=True, slots=True)
class WordEnded:
    """When the last word ended; often said only just before the next word.

    Attributes:
        stop_s: Seconds from the channel's first sample.
    """

    stop_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """The model took one frame of this channel.

    Attributes:
        pauses: The probability that the speaker pauses for 0.5, 1, 2 and 3 seconds; empty where
            the model cannot tell.
        buffered: Samples that wait to be taken.
    """

    pauses: tuple[float, ...]
    buffered: int


@dataclass(frozen=True, slots=True)
class Marked:
    """All that was sent before the marker has become words."""

    id: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The server cannot serve this channel."""

    message: str

    @property
    def is_busy(self) -> bool:
        """Whether all channels are taken."""
        return "no free channels" in self.message


Message: TypeAlias = Ready | WordStarted | WordEnded | Step | Marked | Failed


def encode_audio(samples: Samples) -> bytes:
    """Write samples as `Audio`, as float32: half the bytes and a tenth of the time of doubles."""
    return ormsgpack.packb({"type": "Audio", "pcm": samples}, option=ormsgpack.OPT_SERIALIZE_NUMPY)


def encode_marker(marker: int) -> bytes:
    """Write a `Marker`, which comes back once all audio before it is understood."""
    return ormsgpack.packb({"type": "Marker", "id": marker})


def decode(data: bytes) -> Message | None:
    """Read one message; None for a type that is not known.

    Raises:
        EngineError: This is none of moshi-server's messages.
    """
    message: Message | None
    match _unpack(data):
        case {"type": "Ready"}:
            message = Ready()
        case {"type": "Word", "text": str(text), "start_time": float() | int() as start}:
            message = WordStarted(text, _seconds(start))
        case {"type": "EndWord", "stop_time": float() | int() as stop}:
            message = WordEnded(_seconds(stop))
        case {"type": "Step", "prs": list(pauses), **rest}:
            message = _step(pauses, rest.get("buffered_pcm", 0))
        case {"type": "Marker", "id": int(marker)}:
            message = Marked(marker)
        case {"type": "Error", **rest}:
            message = Failed(str(rest.get("message", "")))
        case {"type": str(kind)} if kind not in {"Word", "EndWord", "Step", "Marker"}:
            message = None
        case _:
            raise EngineError("moshi-server sent a message that is not of its protocol")
    return message


def _seconds(value: float) -> float:
    if not math.isfinite(value):
        raise EngineError("moshi-server sent a time that is none")
    return float(value)


def _step(pauses: list[object], buffered: object) -> Step:
    known = [float(p) for p in pauses if isinstance(p, float | int) and math.isfinite(p)]
    if len(known) < len(pauses) or not isinstance(buffered, int):
        raise EngineError("moshi-server sent a step that is not of its protocol")
    return Step(tuple(known), buffered)


def _unpack(data: bytes) -> object:
    try:
        return ormsgpack.unpackb(data)
    except (ormsgpack.MsgpackDecodeError, OverflowError) as exc:
        raise EngineError("moshi-server sent something that is not msgpack") from exc


HEAD = 2
"""The head that is asked: a pause of two seconds. The shorter ones fire within sentences."""

THRESHOLD = 0.6

WARM_UP_STEPS = 12
"""The heads' first answers mean nothing."""


class PauseDetector:
    """Tells from the steps when the speaker has paused.

    The words come `delay_steps` after the audio that the heads judge, so a pause is told
    only that much later and only if it lasted: told at once, it would come before the last
    words of what it ends.

    Args:
        delay_steps: The model's delay, in steps.
    """

    def __init__(self, delay_steps: int) -> None:
        self._delay_steps = delay_steps
        self._steps = 0
        self._level = 0.0
        self._paused_steps = 0
        self._has_words = False

    def word(self) -> None:
        """Take note of a word: without one since the last pause there is no other."""
        self._has_words = True

    def step(self, pauses: tuple[float, ...]) -> bool:
        """Take in one step; return whether a pause is to be told now."""
        self._steps += 1
        if len(pauses) <= HEAD or self._steps <= WARM_UP_STEPS:
            return False
        # A half-life of one step: a single high value is not a pause, two are.
        self._level += (pauses[HEAD] - self._level) / 2
        self._paused_steps = self._paused_steps + 1 if self._level > THRESHOLD else 0
        if self._paused_steps <= self._delay_steps or not self._has_words:
            return False
        self._has_words = False
        return True
