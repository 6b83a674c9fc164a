"""One speaker's words become utterances (pure): `interim` while they grow, then `final`.

Rule: every word goes into exactly one final, in order; only a full stop or comma that comes
after its utterance was complete is dropped, as in captions.
"""

from collections.abc import Callable
from dataclasses import replace

from livebot.captions import text as texts
from livebot.feeds.events import EventWord, Final, Interim, Speaker
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

THROTTLE_S = 0.2
"""Interims come at most this often: faster is flicker."""

PAUSE_S = 1.5
"""So long a silence between two words parts them, whatever the engine says of pauses."""

LONG_CHARS = 240
"""From here on an utterance ends with its sentence,"""

MOST_CHARS = 600
"""and here at the latest."""


class Assembly:
    """One speaker's utterances.

    Args:
        speaker: Who.
        language: What is spoken; empty where nobody knows. May be set anew.
        name: Called for the name of each utterance.
        idle_after: Seconds without anything new after which an utterance is complete; None where
            the engine tells every pause.
    """

    def __init__(
        self,
        speaker: Speaker,
        language: str,
        *,
        name: Callable[[], str],
        idle_after: float | None = None,
    ) -> None:
        self.language = language
        self._speaker = speaker
        self._name = name
        self._idle_after = idle_after
        self._words: list[Word] = []
        self._joined = ""  # the words as text: joining all of them for each is slow
        self._tail = ""
        self._utterance = ""
        self._shown = ""
        self._shown_at = float("-inf")
        self._touched = 0.0

    @property
    def next_deadline(self) -> float | None:
        """Return when `tick` should be called next, if nothing is fed before."""
        found = []
        if self._text() != self._shown:
            found.append(self._shown_at + THROTTLE_S)
        if (self._words or self._tail) and self._idle_after is not None:
            found.append(self._touched + self._idle_after)
        return min(found, default=None)

    def feed(self, event: SttEvent, now: float) -> list[Interim | Final]:
        """Take one event in and return what it makes; `now` is any monotonic time."""
        done: list[Interim | Final] = []
        match event:
            case Word():
                done = self._add(event)
                self._touched = now
            case Tentative():
                self._tail = " ".join(event.text.split())
                self._touched = now
            case Pause():
                done = self.finish()
        return [*done, *self.tick(now)]

    def tick(self, now: float) -> list[Interim | Final]:
        """Return what is due by now."""
        is_idle = self._idle_after is not None and now >= self._touched + self._idle_after
        if (self._words or self._tail) and is_idle:
            return self.finish()
        text = self._text()
        if text in ("", self._shown) or now < self._shown_at + THROTTLE_S:
            return []
        self._shown, self._shown_at = text, now
        return [
            Interim(
                utterance=self._current(),
                text=text,
                speaker=self._speaker,
                language=self.language,
                start=self._words[0].start if self._words else None,
                stable=len(self._joined),
            )
        ]

    def finish(self) -> list[Interim | Final]:
        """Complete the utterance: the speaker paused, or nothing more comes."""
        self._tail = ""
        if not self._words:
            # What was only tentative was nothing after all: readers take it back.
            return self._withdrawn()
        words, self._words = self._words, []
        text, self._joined = self._joined, ""
        final = Final(
            utterance=self._current(),
            text=text,
            words=tuple(EventWord(w.text, w.start, w.end, w.joined) for w in words),
            speaker=self._speaker,
            language=self.language,
            start=next((w.start for w in words if w.start is not None), 0.0),
            end=next((w.end for w in reversed(words) if w.end is not None), 0.0),
        )
        self._utterance = self._shown = ""
        return [final]

    def _withdrawn(self) -> list[Interim | Final]:
        if not self._shown:
            return []
        self._shown = ""
        return [Interim(self._current(), "", self._speaker, self.language)]

    def _add(self, word: Word) -> list[Interim | Final]:
        text = " ".join(word.text.split())
        if not text:
            return []
        self._tail = ""
        if not self._words:
            if texts.is_stop(text):
                return []  # its utterance is complete
            self._append(replace(word, text=text, joined=False))
            return []
        done = [] if word.joined or not self._is_apart(word) else self.finish()
        self._append(replace(word, text=text, joined=word.joined and not done))
        length = len(self._joined)
        if length >= MOST_CHARS or (length >= LONG_CHARS and texts.is_sentence_end(text)):
            done += self.finish()
        return done

    def _append(self, word: Word) -> None:
        if not word.joined:
            self._joined += texts.gap(self._joined, word.text, self.language)
        self._joined += word.text
        self._words.append(word)

    def _is_apart(self, word: Word) -> bool:
        """Say whether there is a long silence before a word."""
        last = self._words[-1].end
        return last is not None and word.start is not None and word.start - last >= PAUSE_S

    def _current(self) -> str:
        self._utterance = self._utterance or self._name()
        return self._utterance

    def _text(self) -> str:
        if not self._tail:
            return self._joined
        between = texts.gap(self._joined, self._tail, self.language)
        return self._joined + between + self._tail
