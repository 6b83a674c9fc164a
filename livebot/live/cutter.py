"""From decoded samples to chunks, each at its place on a session's time line (pure).

The time line is that of the audio: what a client sends without a break has no break here, however
late it arrives.
"""

from livebot.audio.chunker import Chunker
from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.pipeline import Chunk


class Cutter:
    """One session's samples.

    Args:
        chunk_ms: Length of a chunk.
        position: Where on the time line the first sample is, in seconds.
    """

    def __init__(self, chunk_ms: int, position: float = 0.0) -> None:
        self._chunker = Chunker(RATE_HZ * chunk_ms // 1000)
        self._origin = position
        self._taken = 0  # samples since the origin
        self._given = 0

    @property
    def position(self) -> float:
        """Return where the next sample goes, in seconds."""
        return self._origin + self._taken / RATE_HZ

    def push(self, samples: Samples) -> list[Chunk]:
        """Take samples over, at `RATE_HZ`, and return the chunks they complete."""
        self._taken += len(samples)
        return [self._stamp(piece) for piece in self._chunker.push(samples)]

    def flush(self) -> list[Chunk]:
        """Return what is less than a chunk."""
        rest = self._chunker.flush()
        return [self._stamp(rest)] if len(rest) else []

    def move(self, position: float) -> None:
        """Go on elsewhere; to be called after `flush()`."""
        self._origin = position
        self._taken = self._given = 0

    def _stamp(self, piece: Samples) -> Chunk:
        chunk = Chunk(piece, self._origin + self._given / RATE_HZ)
        self._given += len(piece)
        return chunk
