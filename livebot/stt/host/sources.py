"""Where a stream's audio comes from: somebody who speaks now, or a file."""

from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np

from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.resample import Resampler
from livebot.stt.host.framing import FramingError
from livebot.stt.host.scheduler import Pace
from livebot.stt.model import RATE_HZ as MODEL_HZ

_SAMPLE_BYTES = 4


class LiveAudio:
    """Audio that is sent as it is spoken: float32 little-endian at `audio.pcm.RATE_HZ`.

    Args:
        taken: Called with the bytes of each payload that was taken out.
    """

    is_file = False

    def __init__(self, taken: Callable[[int], None]) -> None:
        self._taken = taken
        self._waiting: deque[bytes] = deque()
        self._resampler = Resampler(RATE_HZ, MODEL_HZ)
        self._pace = Pace()
        self._finishing = False
        self.is_over = False

    @property
    def is_recording(self) -> bool:
        """Whether it comes much faster than anybody speaks."""
        return self._pace.is_recording

    def put(self, payload: bytes, now: float) -> None:
        """Take in what was sent at `now`, in seconds of any steady clock.

        Raises:
            FramingError: It is not whole samples.
        """
        if len(payload) % _SAMPLE_BYTES:
            raise FramingError("audio must be whole samples", retryable=False)
        self._waiting.append(payload)
        self._pace.feed(len(payload) / (_SAMPLE_BYTES * RATE_HZ), now)

    def finish(self) -> None:
        """Say that no more comes."""
        self._finishing = True

    def take(self) -> Samples | None:
        """Return the next samples at `model.RATE_HZ`; None where there are none, at present."""
        if self._waiting:
            payload = self._waiting.popleft()
            self._taken(len(payload))
            return self._resampler.push(np.frombuffer(payload, "<f4"))
        if self._finishing and not self.is_over:
            self.is_over = True
            return self._resampler.flush()
        return None

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()


class FileAudio:
    """A file's audio, decoded block by block.

    Args:
        path: The file.
        from_s: What comes before is left out, in seconds.
    """

    is_file = True
    is_recording = True

    def __init__(self, path: Path, from_s: float) -> None:
        self._blocks = self._decode(path, from_s)
        self.from_s = from_s
        self.total_s = 0.0
        self.taken_s = from_s
        self.is_over = False

    def take(self) -> Samples | None:
        """Return the next block at `model.RATE_HZ`; None at the end.

        Raises:
            RecordingError: It cannot be read.
        """
        block = next(self._blocks, None)
        if block is None:
            self.is_over = True
            return None
        self.taken_s += len(block) / MODEL_HZ
        return block

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()

    def _decode(self, path: Path, from_s: float) -> Generator[Samples]:
        # Whoever serves people only needs no decoders.
        from livebot.recordings.decode import open_recording

        with open_recording(path) as recording:
            self.total_s = recording.duration_s or 0.0
            yield from recording.blocks(MODEL_HZ, from_s=from_s)
