"""One speaker's audio becoming words, pass by pass (pure: the model is a parameter).

The model is no streaming model. It is run again and again over the growing utterance,
and words on which some passes in a row agree are given out and are the forced beginning of every
later pass: what was given out never changes. At the end of the utterance one more pass
gives the rest. Who calls decides when a pass is worth its time: `wants()` says what
there is to do, `run()` does it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, takewhile
from typing import TypeAlias

import numpy as np

from livebot.audio.pcm import Samples
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.local.utterances import WINDOW, WINDOW_S, Cutter, Rules, Utterance, windows
from livebot.stt.model import Heard, HeardWord

Listen: TypeAlias = Callable[[Samples], Heard]
"""The model: samples at 16 kHz in."""

VoiceActivity: TypeAlias = Callable[[Samples], Sequence[float]]
"""Whole windows in, a probability of speech for each out."""


@dataclass(frozen=True, slots=True)
class Caution:
    """What a word must pass before it is given out while the utterance goes on.

    Attributes:
        passes: As many passes in a row must have heard it in its place. Two cost 1.4 points of
            word error rate against the model with all its time, three cost none.
        hold_back: As many of the last words of a pass are never given out.
        letters_per_s: Nobody speaks faster. Where the audio ends inside a sentence the model
            likes to go on by itself: words that cannot have been spoken yet must wait.
        fresh_s: A pass that heard less more than the one before agrees with it too easily.
    """

    passes: int = 3
    hold_back: int = 1
    letters_per_s: float = 13.0
    fresh_s: float = 0.3


@dataclass(frozen=True, slots=True)
class Want:
    """What a stream would like to have done.

    Attributes:
        is_final: An utterance is over: its reader waits for the last words.
        is_settled: The speaker fell silent; if nothing follows, a pass now is the final one.
        age_s: Audio that no pass has heard yet.
    """

    is_final: bool
    is_settled: bool
    age_s: float


@dataclass(slots=True)
class _Pending:
    """An utterance, what was given out of it, and what the last pass heard.

    Attributes:
        piece: The audio.
        closed: Whether it is over.
        given: Words given out.
        given_end: Windows up to the end of the last word given out.
        sound: What the last pass listened to.
        heard: What followed them in the last pass.
        streaks: Of each word in `heard`, how many passes in a row have heard it there.
        heard_windows: How much audio that pass heard.
        shown: Whether the reader sees something tentative.
    """

    piece: Utterance
    closed: bool = False
    given: list[HeardWord] = field(default_factory=list)
    given_end: int = 0
    sound: Heard | None = None
    heard: list[HeardWord] = field(default_factory=list)
    streaks: list[int] = field(default_factory=list)
    heard_windows: int = 0
    shown: bool = False


class SpeechStream:
    """One speaker's stream.

    Args:
        listen: The model.
        voice: Voice activity, with its memory of this stream.
        rules: How to cut utterances.
        caution: When words are stable.
    """

    def __init__(
        self,
        listen: Listen,
        voice: VoiceActivity,
        rules: Rules | None = None,
        caution: Caution | None = None,
    ) -> None:
        self._listen = listen
        self._voice = voice
        self._rules = rules or Rules()
        self._caution = caution or Caution()
        self._cutter = Cutter(self._rules)
        self._partial = np.zeros(0, np.float32)
        self._open: _Pending | None = None
        self._closed: deque[_Pending] = deque()
        self._last_end = 0.0

    @property
    def waiting_s(self) -> float:
        """Return how much audio waits in utterances that are over: whoever feeds bounds it."""
        return sum(len(pending.piece) for pending in self._closed) * WINDOW_S

    @property
    def is_speaking(self) -> bool:
        """Return whether an utterance is going on or waits for its last pass."""
        return self._open is not None or bool(self._closed)

    def push(self, samples: Samples) -> None:
        """Take in audio at 16 kHz, any length."""
        samples = np.concatenate([self._partial, samples])
        whole = len(samples) - len(samples) % WINDOW
        self._partial = samples[whole:]
        if not whole:
            return
        ready = samples[:whole]
        for window, odds in zip(ready.reshape(-1, WINDOW), self._voice(ready), strict=True):
            settled = self._open.given_end if self._open else 0
            self._track(self._cutter.push(window, odds, settled=settled))

    def finish(self) -> None:
        """Say that no more audio comes: what is open is over."""
        if self._partial.size:
            self.push(np.zeros(WINDOW - len(self._partial), np.float32))
        self._track(self._cutter.finish())

    def _track(self, ended: Utterance | None) -> None:
        if ended and self._open:
            self._open.closed = True
            self._closed.append(self._open)
            self._open = None
        if self._open is None and self._cutter.open:
            self._open = _Pending(self._cutter.open)

    def wants(self) -> Want | None:
        """Return what there is to do, if anything."""
        if self._closed:
            piece = self._closed[0].piece
            age_s = self._cutter.now_s - piece.start_s
            return Want(is_final=True, is_settled=True, age_s=age_s)
        if self._open is None or not self._open.piece.is_voice(self._rules):
            return None
        reach = self._reach(self._open.piece)
        fresh = reach - self._open.heard_windows
        if fresh <= 0:
            return None
        settled = reach < len(self._open.piece)
        return Want(is_final=False, is_settled=settled, age_s=fresh * WINDOW_S)

    def run(self) -> list[SttEvent]:
        """Run the pass that `wants()` asked for."""
        if self._closed:
            return self._final(self._closed.popleft())
        return self._interim(self._open) if self._open else []

    def _reach(self, piece: Utterance) -> int:
        """Return how many windows a pass hears: silence beyond the post-roll tells nothing."""
        return min(len(piece), piece.last_speech + windows(self._rules.post_roll_s))

    def _interim(self, pending: _Pending) -> list[SttEvent]:
        reach = self._reach(pending.piece)
        heard = self._listen(pending.piece.audio(reach))
        words = heard.words(pending.given)
        is_fresh = (reach - pending.heard_windows) * WINDOW_S >= self._caution.fresh_s
        streaks = _streaks(pending, words, step=int(is_fresh))
        stable = self._stable(streaks) if is_fresh else 0
        stable = min(stable, self._spoken(pending, words, reach))
        times = self._times(pending, heard, words, stable, reach)
        out = self._give(pending, words[:stable], times)
        pending.sound, pending.heard, pending.heard_windows = heard, words[stable:], reach
        pending.streaks = streaks[stable:]
        if pending.heard or pending.shown:
            out.append(Tentative(" ".join(word.text for word in pending.heard)))
            pending.shown = bool(pending.heard)
        return out

    def _final(self, pending: _Pending) -> list[SttEvent]:
        out: list[SttEvent] = []
        # What was begun is ended.
        if pending.given or pending.piece.is_voice(self._rules):
            reach = self._reach(pending.piece)
            heard, words = pending.sound, pending.heard
            if heard is None or pending.heard_windows != reach:
                heard = self._listen(pending.piece.audio(reach))
                words = heard.words(pending.given)
            times = self._times(pending, heard, words, len(words), reach)
            out += self._give(pending, words, times)
        if pending.given:
            return [*out, Pause()]
        return [Tentative("")] if pending.shown else []

    def _stable(self, streaks: Sequence[int]) -> int:
        """Return how many words enough passes agree on, and may be given out."""
        agreed = sum(1 for _ in takewhile(lambda n: n >= self._caution.passes, streaks))
        return max(0, min(agreed, len(streaks) - self._caution.hold_back))

    def _spoken(self, pending: _Pending, words: Sequence[HeardWord], reach: int) -> int:
        """Return how many words can have been spoken since the last one given out."""
        voiced = sum(p >= self._rules.keep for p in pending.piece.odds[pending.given_end : reach])
        letters = voiced * WINDOW_S * self._caution.letters_per_s
        sums = accumulate(len(word.text) for word in words)
        return sum(1 for _ in takewhile(lambda total: total <= letters, sums))

    def _times(
        self,
        pending: _Pending,
        heard: Heard,
        words: Sequence[HeardWord],
        count: int,
        reach: int,
    ) -> list[tuple[float, float]]:
        """Return start and end of the first `count` words, in seconds of the utterance."""
        # The word after them tells where the last of them ends.
        asked = words[: count + 1] if count else []
        after_s = pending.given_end * WINDOW_S
        starts = heard.starts(pending.given, asked, after_s=after_s)
        ends = [*starts[1:], reach * WINDOW_S]
        pairs = list(zip(starts, ends, strict=False))[:count]
        return [(s, self._voice_end(pending.piece, s, e)) for s, e in pairs]

    def _voice_end(self, piece: Utterance, start_s: float, end_s: float) -> float:
        """Return where the voice falls silent in a stretch, or its end."""
        first, last = int(start_s / WINDOW_S) + 1, min(windows(end_s), len(piece))
        while last > first and piece.odds[last - 1] < self._rules.keep:
            last -= 1
        return max(start_s, min(end_s, last * WINDOW_S))

    def _give(
        self,
        pending: _Pending,
        words: Sequence[HeardWord],
        times: Sequence[tuple[float, float]],
    ) -> list[SttEvent]:
        """Give words out: from here on they are fixed."""
        out: list[SttEvent] = []
        for word, (start, end) in zip(words, times, strict=False):
            start_s = max(self._last_end, pending.piece.start_s + start)
            end_s = max(start_s, pending.piece.start_s + end)
            self._last_end = end_s
            joined = word.joined and bool(pending.given)
            out.append(Word(word.text, round(start_s, 3), round(end_s, 3), joined=joined))
            pending.given.append(word)
            pending.given_end = min(len(pending.piece), windows(end))
        return out


def _streaks(pending: _Pending, words: Sequence[HeardWord], *, step: int) -> list[int]:
    """Return in how many passes in a row each word was heard, this one counting as `step`."""
    pairs = zip(pending.heard, words, strict=False)
    # Waiting until passes agree on commas too would cost seconds.
    same = sum(1 for _ in takewhile(bool, (old.letters == new.letters for old, new in pairs)))
    return [pending.streaks[i] + step if i < same else 1 for i in range(len(words))]
