"""From one speaker's decoded frames to chunks for an engine.

Frame → timeline (pauses and losses become silence) → resampler → chunker.
"""

from dataclasses import dataclass

from livebot.audio.chunker import Chunker
from livebot.audio.pcm import RATE_HZ, Samples
from livebot.audio.resample import Resampler
from livebot.audio.timeline import Stretch, Timeline


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A piece of one speaker's audio and when it was heard.

    Attributes:
        samples: At `RATE_HZ`; of the pipeline's length, except the last before a jump or the end.
        start: Session time of the first sample, in seconds.
    """

    samples: Samples
    start: float

    @property
    def seconds(self) -> float:
        """Return its length."""
        return len(self.samples) / RATE_HZ

    @property
    def end(self) -> float:
        """Return the session time where it ends."""
        return self.start + self.seconds


class Pipeline:
    """One speaker's way from frames to chunks; lives as long as the speaker.

    Args:
        chunk_ms: Length of a chunk.
        source_hz: Rate of the frames and of their timestamps.
    """

    def __init__(self, chunk_ms: int = 200, source_hz: int = 48_000) -> None:
        self._source_hz = source_hz
        self._timeline = Timeline(source_hz)
        self._resampler = Resampler(source_hz, RATE_HZ)
        self._chunker = Chunker(RATE_HZ * chunk_ms // 1000)
        self._origin = 0.0  # session time of the first sample since the last jump
        self._count = 0  # samples given out since

    @property
    def silent_seconds(self) -> float:
        """Return how much silence was added so far."""
        return self._timeline.silent_seconds

    def push(self, samples: Samples, pts: int, now: float) -> list[Chunk]:
        """Take one frame over and return the chunks it completes.

        Args:
            samples: Mono, at the source's rate, any length.
            pts: RTP time of the first sample; may start anywhere and wrap.
            now: Session time of arrival.
        """
        return self._convert(self._timeline.push(samples, pts, now))

    def fill(self, now: float) -> list[Chunk]:
        """Return silence if no frame has come for a while; to be called every chunk or so."""
        return self._convert(self._timeline.fill(now))

    def restart(self) -> None:
        """Expect another stream (a new peer): its first frame is placed by its arrival."""
        self._timeline.restart()

    def flush(self) -> list[Chunk]:
        """Return what is still inside, the last chunk maybe shorter."""
        chunks = self._cut(self._resampler.flush())
        rest = self._chunker.flush()
        return [*chunks, *self._stamp([rest] if len(rest) else [])]

    def _convert(self, stretches: list[Stretch]) -> list[Chunk]:
        chunks: list[Chunk] = []
        for stretch in stretches:
            if stretch.jump:
                chunks += self.flush()
                self._origin = stretch.start / self._source_hz
                self._count = 0
            chunks += self._cut(self._resampler.push(stretch.samples))
        return chunks

    def _cut(self, samples: Samples) -> list[Chunk]:
        return self._stamp(self._chunker.push(samples))

    def _stamp(self, pieces: list[Samples]) -> list[Chunk]:
        chunks = []
        for piece in pieces:
            chunks.append(Chunk(piece, self._origin + self._count / RATE_HZ))
            self._count += len(piece)
        return chunks
