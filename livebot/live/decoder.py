"""What turns a client's bytes into samples (pure)."""

from collections.abc import Iterator
from typing import Final, Protocol

from livebot.audio.pcm import Samples, silence

NOTHING: Final[Samples] = silence(0)

PARTS_AT_ONCE: Final = 256
"""After so many parts of a container nothing is given out, where nothing else was: who asks has
others to serve."""


class Decoder(Protocol):
    """One client's audio: bytes in, however they are cut, samples out."""

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; yield what it holds bit by bit, at `audio.pcm.RATE_HZ`.

        A message may hold hours, so nothing is decoded before it is asked for. What comes may be
        empty.

        Raises:
            RequestError: It is no such audio.
        """

    def flush(self) -> Samples:
        """Return what is still inside of what changes the rate; more may come."""
