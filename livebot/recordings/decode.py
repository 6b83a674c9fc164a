"""A recording as samples: mono, at any rate, in the time of a player, with bounded memory.

FFmpeg decodes; `audio/resample.py` resamples, as for calls: its soxr is as quick as FFmpeg's own
resampler and lets nothing through that does not belong there (at 16 kHz, a tone of 8.5 kHz leaves
-140 dB instead of -26 dB), and models hear files as they hear people. What is missing in
a file is silence here (`clock.py`), so times are those that a player shows.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from io import FileIO
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from livebot.audio.pcm import Samples, silence
from livebot.audio.resample import Resampler
from livebot.errors import RecordingError
from livebot.recordings.clock import TOLERANCE_S, Clock
from livebot.recordings.container import choose, frames, open_container, packets, samples_of
from livebot.recordings.file import Source, open_file, unreadable
from livebot.recordings.mono import Mixer, to_float

MIN_RATE_HZ: Final = 1_000
MAX_RATE_HZ: Final = 768_000
"""What is recorded at other rates is damaged."""

BATCH: Final = 1 << 19
"""So many samples of all channels together are mixed at once, or a second if that is less."""

_TS_DISCONT: Final = 0x200
"""FFmpeg's flag of formats whose times begin anywhere (AVFMT_TS_DISCONT)."""

_EMPTY: Final = "there is no sound in it: its track is empty; record it again"
_NOTHING: Final = "nothing in it can be decoded: it is damaged; copy or record it again"


@contextmanager
def open_recording(path: Path) -> Iterator["Recording"]:
    """Open a sound file, or a video with sound.

    Raises:
        RecordingError: It is none, it is damaged, or it may not be read.
    """
    with open_file(path) as file:
        yield Recording(file)


class Recording:
    """An open recording. One thread at a time, and one `blocks` at a time.

    Args:
        file: The file, which stays the caller's.

    Raises:
        RecordingError: It is no recording, or damaged.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        with _open(file) as container:
            self.duration_s = _duration_s(container, choose(container))
            """Its length as it says itself, or as FFmpeg guesses from its size; good enough for
            a progress bar. None where nobody knows before the end."""

    def blocks(self, rate_hz: int, *, from_s: float = 0.0) -> Iterator[Samples]:
        """Decode it.

        Args:
            rate_hz: The rate of what is returned.
            from_s: What comes before is left out. It is decoded nevertheless: so the rest is
                the same, to the sample, as without.

        Yields:
            Mono float32 in [-1, 1], one second at most. For each second that is left out an empty
            block comes, so that whoever waits can do something else in between, or give up.

        Raises:
            RecordingError: Nothing of it can be decoded, or the disk fails.
        """
        left_out = round(max(0.0, from_s) * rate_hz)
        with _open(self._file) as container:
            for samples in _resampled(_pieces(_batches(container, choose(container))), rate_hz):
                rest = samples[left_out:]
                left_out -= len(samples) - len(rest)
                if samples.size and not rest.size:
                    yield rest
                for start in range(0, len(rest), rate_hz):
                    yield np.clip(rest[start : start + rate_hz], -1.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some audio in one go, or what is missing.

    Attributes:
        rate_hz: Its rate.
        samples: Mono.
    """

    rate_hz: int
    samples: Samples


@dataclass(slots=True)
class _Batch:
    """Frames of one kind without a gap between.

    Attributes:
        gap_s: Silence that belongs before them.
        frames: In order.
        samples: How many are in them.
    """

    gap_s: float = 0.0
    frames: list[AudioFrame] = field(default_factory=list)
    samples: int = 0

    def takes(self, frame: AudioFrame) -> bool:
        """Whether another one fits in."""
        most = min(frame.rate, BATCH // frame.layout.nb_channels)
        return self.samples < most and _kind(self.frames[0]) == _kind(frame)

    def add(self, frame: AudioFrame) -> None:
        """Take another one in."""
        self.frames.append(frame)
        self.samples += frame.samples

    def channels(self) -> npt.NDArray[Any]:
        """Return all samples in shape `(channels, n)`, whatever their type."""
        return np.concatenate([samples_of(frame) for frame in self.frames], axis=1)


def _kind(frame: AudioFrame) -> tuple[int, str, int]:
    return frame.rate, frame.format.name, frame.layout.nb_channels


@contextmanager
def _open(file: FileIO) -> Iterator[InputContainer]:
    source = Source(file)
    try:
        with open_container(source) as container:
            yield container
    except RecordingError:
        _check(source)
        raise
    _check(source)


def _check(source: Source) -> None:
    if source.failure:
        raise unreadable(source.failure) from source.failure


def _duration_s(container: InputContainer, stream: AudioStream) -> float | None:
    if stream.duration and stream.time_base:
        end_s = float((stream.duration + (stream.start_time or 0)) * stream.time_base)
        return _positive(end_s - _origin_s(container))
    if container.duration is None:
        return None
    start_s = (container.start_time or 0) / av.time_base - _origin_s(container)
    # What Matroska says of its length counts from zero, whatever it begins with.
    is_whole = "matroska" in container.format.name
    return _positive(container.duration / av.time_base + (0.0 if is_whole else start_s))


def _positive(seconds: float) -> float | None:
    return seconds if seconds > 0 else None


def _origin_s(container: InputContainer) -> float:
    """Return what a player takes for the beginning.

    In MP3 that is what the encoder put before the first sample.
    """
    start_s = (container.start_time or 0) / av.time_base
    is_any = container.format.flags & _TS_DISCONT or start_s < TOLERANCE_S
    return start_s if is_any else 0.0


def _batches(container: InputContainer, stream: AudioStream) -> Iterator[_Batch]:
    """Yield what can be decoded, with the gaps between, about `BATCH_S` at once.

    Raises:
        RecordingError: It is nothing.
    """
    clock = Clock(_origin_s(container), _duration_s(container, stream))
    batch = _Batch()
    rate_hz = seen = 0
    lost = False
    for packet in packets(container, stream):
        decoded = [frame for frame in frames(packet) if _is_sound(frame)]
        for frame in decoded:
            rate_hz = rate_hz or frame.rate
            time_s = _time_s(frame, rate_hz)
            gap_s = 0.0 if time_s is None else clock.gap(time_s, lost=lost)
            clock.passed(frame.samples / frame.rate)
            if batch.frames and (gap_s or not batch.takes(frame)):
                yield batch
                batch = _Batch(gap_s)
            batch = batch if batch.frames else _Batch(gap_s)
            batch.add(frame)
            lost = False
        seen += bool(packet.size)
        lost = lost or not decoded
    if not rate_hz:
        raise RecordingError(_NOTHING if seen else _EMPTY)
    yield batch


def _is_sound(frame: AudioFrame) -> bool:
    return bool(frame.samples) and MIN_RATE_HZ <= frame.rate <= MAX_RATE_HZ


def _time_s(frame: AudioFrame, rate_hz: int) -> float | None:
    """Return the file's own time of a frame.

    Ogg counts samples; where the next of several recordings in a row has another rate, FFmpeg
    takes its samples for those of the first.
    """
    base = frame.time_base
    if (
        frame.pts is None
        or base is None
        or (frame.rate != rate_hz and base == Fraction(1, rate_hz))
    ):
        return None
    return frame.pts * base.numerator / base.denominator


def _pieces(batches: Iterable[_Batch]) -> Iterator[_Piece]:
    """Turn them to mono, and gaps to silence."""
    mixer = Mixer(1)
    for batch in batches:
        rate_hz = batch.frames[0].rate
        missing = round(batch.gap_s * rate_hz)
        for start in range(0, missing, rate_hz):
            yield _Piece(rate_hz, silence(min(rate_hz, missing - start)))
        channels = to_float(batch.channels())
        if mixer.channels != len(channels):
            mixer = Mixer(len(channels))
        yield _Piece(rate_hz, mixer.mix(channels))


def _resampled(pieces: Iterable[_Piece], rate_hz: int) -> Iterator[Samples]:
    """Bring them to one rate, without a seam where theirs stays the same."""
    for source_hz, run in groupby(pieces, key=attrgetter("rate_hz")):
        resampler = Resampler(source_hz, rate_hz)
        for piece in run:
            yield resampler.push(piece.samples)
        yield resampler.flush()
