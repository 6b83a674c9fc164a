"""Cutting a stream of audio into utterances by voice activity (pure).

Time is counted in windows of 32 ms. An utterance begins a little before its first
speech and ends after a silence; the longer it is, the shorter a silence suffices, and
before the model's limit it is cut at its most silent place.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from livebot.audio.pcm import Samples

RATE_HZ = 16_000
WINDOW = 512
WINDOW_S = WINDOW / RATE_HZ


def windows(seconds: float) -> int:
    """Return the whole windows nearest to a time."""
    return round(seconds / WINDOW_S)


_ENOUGH_AFTER = windows(0.25)
"""Endings of words are soft but no silence yet."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to cut.

    Attributes:
        begin: Probability from which a window is speech.
        keep: Probability from which it still is, once somebody speaks.
        least_voice_s: Less voice than this is a click or a breath.
        brief_s: With less voice than this, it must be louder than what follows it.
        contrast: How many times the power of what follows it.
        pre_roll_s: Audio kept from before the first speech: onsets are soft.
        post_roll_s: Audio kept after the last speech: so are endings.
        silence_s: Silence that ends an utterance.
        patience_s: From this length on, shorter silence will do.
        limit_s: No utterance is longer; the model gets worse beyond.
        least_silence_s: Silence that will do close to the limit.
    """

    begin: float = 0.5
    keep: float = 0.35
    least_voice_s: float = 0.1
    brief_s: float = 0.6
    contrast: float = 1.6
    pre_roll_s: float = 0.5
    post_roll_s: float = 0.4
    silence_s: float = 0.55
    patience_s: float = 10.0
    limit_s: float = 24.0
    least_silence_s: float = 0.13

    def enough_silence_s(self, length_s: float) -> float:
        """Return how much silence ends an utterance of this length."""
        share = (length_s - self.patience_s) / (self.limit_s - self.patience_s)
        longest, least = self.silence_s, self.least_silence_s
        return longest - (longest - least) * min(1.0, max(0.0, share))


@dataclass(slots=True)
class Utterance:
    """A piece of audio with speech in it; grows until it is closed.

    Attributes:
        first: The stream's window it begins with.
        odds: The probability of speech of each window.
        voice_s: Seconds of speech, each window weighed by its probability.
        last_speech: Windows up to the end of the last speech.
        silent_end: Whether it was closed by silence and not for its length.
    """

    first: int
    odds: list[float] = field(default_factory=list)
    voice_s: float = 0.0
    last_speech: int = 0
    silent_end: bool = True
    _audio: list[Samples] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.odds)

    @property
    def start_s(self) -> float:
        """Return when it begins, from the stream's first sample."""
        return self.first * WINDOW_S

    @property
    def silence(self) -> int:
        """Return the windows since the last speech."""
        return len(self) - self.last_speech

    def add(self, window: Samples, odds: float, *, is_speech: bool) -> None:
        """Let it grow by a window."""
        self._audio.append(window)
        self.odds.append(odds)
        if is_speech:
            self.voice_s += odds * WINDOW_S
            self.last_speech = len(self.odds)

    def is_voice(self, rules: Rules) -> bool:
        """Say whether somebody may have spoken; while it grows, the answer may change.

        A blow is taken for speech now and then, but hardly or for a moment. So is music when it
        sets in, but it goes on as loud when it is not taken for speech any more.
        """
        if self.voice_s < rules.least_voice_s:
            return False
        return self.voice_s >= rules.brief_s or self._stands_out(rules)

    def _stands_out(self, rules: Rules) -> bool:
        """Say whether the speech is louder than what came after it, where enough came."""
        if self.silence < _ENOUGH_AFTER:
            return True
        until, after = self._audio[: self.last_speech], self._audio[self.last_speech :]
        spoken = [a for a, p in zip(until, self.odds, strict=False) if p >= rules.keep]
        return _power(spoken) >= rules.contrast * _power(after)

    def audio(self, count: int) -> Samples:
        """Return the samples of the first `count` windows."""
        return np.concatenate(self._audio[:count])

    def cut(self, count: int) -> list[tuple[Samples, float]]:
        """Shorten it to `count` windows; return those taken off, with their probabilities."""
        rest = list(zip(self._audio[count:], self.odds[count:], strict=True))
        del self._audio[count:], self.odds[count:]
        self.last_speech = min(self.last_speech, count)
        return rest


class Cutter:
    """Windows in, utterances out.

    Args:
        rules: How to cut.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._clock = 0
        self._before: deque[tuple[Samples, float]] = deque(maxlen=windows(rules.pre_roll_s))
        self.open: Utterance | None = None

    @property
    def now_s(self) -> float:
        """Return how much audio has come."""
        return self._clock * WINDOW_S

    def push(self, window: Samples, odds: float, *, settled: int = 0) -> Utterance | None:
        """Take in a window; return the utterance that it ends, if it does.

        Args:
            window: `WINDOW` samples.
            odds: The probability that they are speech.
            settled: Windows of the open utterance that must stay in it when it is cut for
                its length, because words in them have been given out.
        """
        self._clock += 1
        if self.open is None:
            self._before.append((window, odds))
            if odds >= self._rules.begin:
                self._begin()
            return None
        self.open.add(window, odds, is_speech=odds >= self._rules.keep)
        return self._ended(self.open, settled)

    def finish(self) -> Utterance | None:
        """Return what is open at the end of the stream."""
        ended, self.open = self.open, None
        self._before.clear()
        return ended

    def _begin(self) -> None:
        self.open = Utterance(self._clock - len(self._before))
        for window, odds in self._before:
            self.open.add(window, odds, is_speech=odds >= self._rules.begin)
        self._before.clear()

    def _ended(self, current: Utterance, settled: int) -> Utterance | None:
        rules = self._rules
        length_s = len(current) * WINDOW_S
        if current.silence * WINDOW_S >= rules.enough_silence_s(length_s):
            keep = min(len(current), current.last_speech + windows(rules.post_roll_s))
            self.open = None
            self._before.extend(current.cut(keep))
            return current
        if length_s < rules.limit_s:
            return None
        current.silent_end = False
        self._go_on(current.cut(_quietest(current.odds, settled)))
        return current

    def _go_on(self, rest: list[tuple[Samples, float]]) -> None:
        """Begin the next utterance with what was cut off the one before."""
        self.open = Utterance(self._clock - len(rest))
        for window, odds in rest:
            self.open.add(window, odds, is_speech=odds >= self._rules.keep)


def _power(pieces: Sequence[Samples]) -> float:
    return float(np.mean([np.square(piece, dtype=np.float64).mean() for piece in pieces]))


def _quietest(odds: list[float], settled: int) -> int:
    """Return after how many windows to cut: where speech is least likely, late rather than early.

    Not in the last tenth of a second, which may be the onset of a word.
    """
    last = max(1, len(odds) - 3)
    first = min(max(settled, len(odds) // 2), last)
    return min(range(first, last + 1), key=lambda i: (odds[i - 1] if i else 1.0, -i))
