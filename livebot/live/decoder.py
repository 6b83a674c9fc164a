"""What turns a client's bytes into samples (pure)."""

from collections.abc import Iterator
from typing import Protocol

from livebot.audio.pcm import Samples


class Decoder(Protocol):
    """One client's audio: bytes in, however they are cut, samples out."""

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; yield what it holds bit by bit, at `audio.pcm.RATE_HZ`.

        A message may hold hours, so nothing is decoded before it is asked for.

        Raises:
            RequestError: It is no such audio.
        """

    def flush(self) -> Samples:
        """Return what is still inside of what changes the rate; more may come."""
