"""Any length in, chunks of one length out."""

import numpy as np

from livebot.audio.pcm import Samples


class Chunker:
    """Cuts a stream of samples into chunks.

    Args:
        size: Samples per chunk.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError("a chunk has at least one sample")
        self._size = size
        self._held: list[Samples] = []
        self._count = 0

    def push(self, samples: Samples) -> list[Samples]:
        """Take samples over and return the chunks they complete."""
        self._held.append(samples)
        self._count += len(samples)
        if self._count < self._size:
            return []
        whole = np.concatenate(self._held)
        cut = self._count - self._count % self._size
        chunks = [whole[at : at + self._size] for at in range(0, cut, self._size)]
        # A copy, so that the rest does not keep all of `whole` in memory.
        self._held = [whole[cut:].copy()]
        self._count -= cut
        return chunks

    def flush(self) -> Samples:
        """Return the rest, shorter than a chunk and maybe empty, and start anew."""
        rest = np.concatenate([np.zeros(0, dtype=np.float32), *self._held])
        self._held = []
        self._count = 0
        return rest
