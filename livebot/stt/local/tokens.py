"""The model's vocabulary, and how its pieces make words."""

import re
from collections.abc import Sequence

from livebot.errors import EngineError
from livebot.stt.model import HeardWord

START = 1
END = 2

_SPACE = "\u2581".encode()
_LONG = 0x80

_STUTTER = re.compile(r"([,;:!?])\1+")
"""Where a speaker hesitates the model likes to write a comma twice."""

_LOOP_REPEATS = 5
_LOOP_PERIOD = 8


class Vocabulary:
    """The pieces of `tokenizer.bin`.

    Args:
        data: The file: for each token a length (one byte, or two for 128 and more) and
            that many bytes.

    Raises:
        EngineError: It is no such file.
    """

    def __init__(self, data: bytes) -> None:
        self._pieces: list[bytes] = []
        at = 0
        while at < len(data):
            size = data[at]
            at += 1
            if size >= _LONG and at < len(data):
                size = data[at] * _LONG + size - _LONG
                at += 1
            self._pieces.append(data[at : at + size])
            at += size
        if at != len(data) or len(self._pieces) <= END:
            raise EngineError("tokenizer.bin is not a vocabulary", retryable=False)

    def __len__(self) -> int:
        return len(self._pieces)

    def words(self, tokens: Sequence[int]) -> list[HeardWord]:
        """Group tokens into words: one begins where a piece begins with a space."""
        groups: list[list[int]] = []
        for token in tokens:
            # A bare space before a word belongs to the word.
            if groups and not (self._begins(token) and self._text(groups[-1])):
                groups[-1].append(token)
            else:
                groups.append([token])
        return [
            HeardWord(text, tuple(group), joined=not self._begins(group[0]))
            for group in groups
            if (text := self._text(group))
        ]

    def _begins(self, token: int) -> bool:
        return self._pieces[token].startswith(_SPACE)

    def _text(self, tokens: Sequence[int]) -> str:
        raw = b"".join(self._pieces[token] for token in tokens)
        text = raw.replace(_SPACE, b" ").decode(errors="replace").strip()
        return _STUTTER.sub(r"\1", text)


def loop_length(out: Sequence[int]) -> int:
    """Return how many of the last tokens only repeat the ones before: the model is caught.

    Five times the same is a loop; people say things three times.
    """
    for period in range(1, _LOOP_PERIOD + 1):
        size = period * _LOOP_REPEATS
        tail = list(out[-size:])
        if len(tail) == size and tail == tail[:period] * _LOOP_REPEATS:
            return size - period
    return 0
