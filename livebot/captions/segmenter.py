"""Words and pauses become captions.

Two ways to show the same words (`Mode`):

- `append`: each piece is sent once and is final, because released Talk clients append
  whatever they get. They put a space between messages, so a word that may still grow is
  held back.
- `replace`: a caption grows, `final=False`, each time replacing what was shown, until it
  is complete. What is final never changes.

A full stop or comma that comes after its word was sent is dropped.

Rule 1: what a word does does not depend on the mode; what time and tentative text do, does.
Rule 2: no clock. `now` is any monotonic time in seconds, the same for all calls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from livebot.captions import text as texts
from livebot.captions.caption import Caption, Mode
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

__all__ = ["HOLD_S", "MAX_CHARS", "THROTTLE_S", "Mode", "Segmenter"]

MAX_CHARS = 84
"""Two lines of 42 characters, the usual measure of subtitles."""

THROTTLE_S = 0.2
"""A growing caption is sent at most this often: faster is flicker, and work for every reader."""

HOLD_S = 0.8
"""So long may a word still grow, where the engine sends words in parts."""

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class _Held:
    """A word with all its parts, waiting to be sent."""

    text: str
    start: float | None
    end: float | None
    since: float
    touched: float

    def extended(self, text: str, part: Word, now: float) -> Self:
        """Return the word with one more part."""
        return replace(
            self,
            text=self.text + text,
            start=part.start if self.start is None else self.start,
            end=self.end if part.end is None else part.end,
            touched=now,
        )

    def cut(self, limit: int) -> tuple[Self, Self]:
        """Return a head of at most `limit` characters and the rest; both keep the times."""
        at = texts.head_length(self.text, limit)
        return (
            replace(self, text=self.text[:at].rstrip()),
            replace(self, text=self.text[at:].lstrip()),
        )


class Segmenter:
    """One speaker's captions.

    Args:
        mode: How the words are shown.
        language: Decides where spaces belong.
        max_chars: No caption is longer.
        idle_after: Seconds without anything new after which a growing caption is complete;
            None where the engine tells every pause.
        piece_delay: How long words are gathered in mode `append`.
    """

    def __init__(
        self,
        mode: Mode,
        language: str,
        *,
        max_chars: int = MAX_CHARS,
        idle_after: float | None = 1.2,
        piece_delay: float = 0.3,
    ) -> None:
        self._mode = mode
        self._language = language
        self._max_chars = max_chars
        self._idle_after = idle_after
        self._piece_delay = piece_delay
        self._held: list[_Held] = []
        self._tail = ""
        self._in_parts = False  # whether this engine sends words in parts
        self._touched = 0.0
        self._shown = ""
        self._shown_at = float("-inf")

    @property
    def next_deadline(self) -> float | None:
        """Return when `tick` should be called next, if nothing is fed before."""
        return min(self._deadlines(), default=None)

    def feed(self, event: SttEvent, now: float) -> list[Caption]:
        """Take one event in and return the captions it makes or changes."""
        done: list[Caption] = []
        match event:
            case Word():
                done = self._add(event, now)
            case Tentative():
                self._tail = " ".join(event.text.split())
                self._touched = now
                if self._mode == "append":
                    # The engine has said all that is stable for now: nothing to gather.
                    done = self._emit(self._complete)
            case Pause():
                done = self.finish()
        return [*done, *self.tick(now)]

    def tick(self, now: float) -> list[Caption]:
        """Return what is due by now."""
        if self._mode == "append":
            return self._emit(self._due(now))
        if self._held and self._idle_after is not None and now >= self._touched + self._idle_after:
            return self.finish()
        return self._partial(now)

    def finish(self) -> list[Caption]:
        """Complete everything: the speaker paused, or nothing more comes."""
        self._tail = ""
        return self._emit(len(self._held))

    def _add(self, word: Word, now: float) -> list[Caption]:
        text = " ".join(word.text.split())
        if not text:
            return []
        self._tail = ""
        self._touched = now
        if self._continues(text, joined=word.joined):
            done: list[Caption] = []
            self._held[-1] = self._held[-1].extended(text, word, now)
        elif texts.is_stop(text):
            # Its word has been sent: it would stand alone, with a space before it.
            done = []
        else:
            done = self._end_sentence()
            self._held.append(_Held(text, word.start, word.end, since=now, touched=now))
        done += self._fit()
        return done if self._in_parts else [*done, *self._end_sentence()]

    def _continues(self, text: str, *, joined: bool) -> bool:
        """Return whether `text` belongs to the word held last, and learn from it."""
        left = self._held[-1].text if self._held else text
        spaceless = texts.is_spaceless(left, text, self._language)
        clings = texts.is_punctuation(text) if spaceless else joined or texts.is_punctuation(text)
        # Without spaces a part that comes late looks no different, so nothing need wait for it.
        self._in_parts |= clings and not spaceless
        return clings and bool(self._held)

    def _end_sentence(self) -> list[Caption]:
        ends = self._held and texts.is_sentence_end(self._held[-1].text)
        return self._emit(len(self._held)) if ends else []

    def _fit(self) -> list[Caption]:
        """Emit what does not fit beside the newest word, and of that what is too long."""
        done: list[Caption] = []
        while len(self._text(self._held)) > self._max_chars:
            if len(self._held) == 1:
                head, tail = self._held.pop().cut(self._max_chars)
                self._held = [head, tail]
            done += self._emit(len(self._held) - 1)
        return done

    def _due(self, now: float) -> int:
        """Return how many words a piece has by now."""
        if now >= self._grown_at():
            return len(self._held)
        return self._complete if now >= self._gathered_at() else 0

    def _deadlines(self) -> Iterator[float]:
        if not self._held and not self._tail:
            return
        if self._mode == "append":
            yield from (at for at in (self._grown_at(), self._gathered_at()) if at < _NEVER)
            return
        if self._held and self._idle_after is not None:
            yield self._touched + self._idle_after
        if self._partial_text() != self._shown:
            yield self._shown_at + THROTTLE_S

    @property
    def _complete(self) -> int:
        """How many of the words held cannot grow any more."""
        return len(self._held) - 1 if self._in_parts else len(self._held)

    def _gathered_at(self) -> float:
        return self._held[0].since + self._piece_delay if self._complete > 0 else _NEVER

    def _grown_at(self) -> float:
        """When the last word, which may still grow, goes out all the same."""
        if not (self._held and self._in_parts):
            return _NEVER
        return self._held[-1].touched + max(HOLD_S, self._piece_delay)

    def _partial(self, now: float) -> list[Caption]:
        text = self._partial_text()
        if text in ("", self._shown) or now < self._shown_at + THROTTLE_S:
            return []
        self._shown = text
        self._shown_at = now
        return [self._caption(text, self._held, final=False)]

    def _partial_text(self) -> str:
        words = self._text(self._held)
        text = words + texts.gap(words, self._tail, self._language) + self._tail
        return texts.newest(text, self._max_chars)

    def _emit(self, count: int) -> list[Caption]:
        """Send the first `count` words held as a final caption."""
        sent, self._held = self._held[:count], self._held[count:]
        if not sent:
            return []
        self._shown = ""
        return [self._caption(self._text(sent), sent, final=True)]

    def _text(self, held: Sequence[_Held]) -> str:
        text = ""
        for each in held:
            text += texts.gap(text, each.text, self._language) + each.text
        return text

    def _caption(self, text: str, held: Sequence[_Held], *, final: bool) -> Caption:
        starts = [each.start for each in held if each.start is not None]
        ends = [each.end for each in held if each.end is not None]
        start, end = starts[0] if starts else None, ends[-1] if ends else None
        return Caption(text, final, start, end, self._mode)
