"""One speaker's audio cut into pieces of half a minute, for files; silence is not kept."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livebot.audio.pcm import level_dbfs
from livebot.audio.pipeline import Chunk

PIECE_S = 30.0

SILENT_DBFS = -70.0
"""Below there is nothing to hear."""

PAUSE_S = 5.0
"""A piece ends where so long nothing is to be heard, and the next begins with a sound."""

JUMP_S = 0.05
"""Where the time line jumps by more, another piece begins: in one there is no gap."""

_S16 = np.float32(32767)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Audio: 16 bits, mono, at `audio.pcm.RATE_HZ`; times on the room's time line."""

    samples: npt.NDArray[np.int16]
    start: float
    end: float


class Recorder:
    """What is kept of one speaker's audio and not in a piece yet."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.int16]] = []
        self._start = self._end = self._heard_until = 0.0

    def feed(self, chunk: Chunk) -> list[Piece]:
        """Take a chunk in and return the pieces that are complete."""
        done = self._finish_before(chunk)
        is_silent = level_dbfs(chunk.samples) <= SILENT_DBFS
        if is_silent and not self._parts:
            return done
        if not self._parts:
            self._start = chunk.start
        if not is_silent:
            self._heard_until = chunk.end
        limited = np.clip(chunk.samples, -1.0, 1.0)
        self._parts.append((limited * _S16).astype(np.int16))
        self._end = chunk.end
        return done

    def finish(self) -> list[Piece]:
        """Return what is there."""
        if not self._parts:
            return []
        piece = Piece(np.concatenate(self._parts), self._start, self._end)
        self._parts.clear()
        return [piece]

    def forget(self) -> None:
        """Drop what is there."""
        self._parts.clear()

    def _finish_before(self, chunk: Chunk) -> list[Piece]:
        """Complete the piece that a chunk is no part of."""
        is_long = self._end - self._start + chunk.seconds > PIECE_S
        is_over = self._end - self._heard_until >= PAUSE_S
        is_apart = abs(chunk.start - self._end) > JUMP_S
        return self.finish() if is_long or is_over or is_apart else []
