"""Where a stream was ended in the middle of speech: its last word may be half a word.

That one is taken out. The next stream hears it again from its beginning.
"""

from livebot.stt.engine import Word
from livebot.stt.lease import PAUSE_S


class Edge:
    """The end of one stream; words pass until it was cut."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._held: list[Word] = []

    @property
    def is_cut(self) -> bool:
        """Whether the stream was ended in the middle of speech."""
        return self._at is not None

    def cut(self, at: float) -> None:
        """Note that the stream hears nothing from `at` on, seconds on the room's time line."""
        self._at = at

    def feed(self, word: Word) -> list[Word]:
        """Take a word in, its times on the room's time line; return those that are whole.

        A word is whole when another one follows. What goes on with a word shares its fate.
        """
        goes_on = word.joined or not any(letter.isalnum() for letter in word.text)
        if self._at is None or (goes_on and not self._held):
            return [word]
        if goes_on:
            self._held.append(word)
            return []
        whole, self._held = self._held, [word]
        return whole

    def finish(self) -> list[Word]:
        """Return the last word if it is whole: nothing more comes."""
        held, self._held = self._held, []
        ends = [word.end for word in held if word.end is not None]
        # A longer quiet is no part of a word.
        is_whole = self._at is not None and ends and ends[-1] <= self._at - PAUSE_S
        return held if is_whole else []
