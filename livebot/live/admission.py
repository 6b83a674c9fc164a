"""Whether one more session may be opened."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from livebot.errors import BusyError, LivebotError, QuotaError
from livebot.live.keeping import Keeping
from livebot.live.transcription import Transcription
from livebot.metrics import Metrics
from livebot.settings import Settings

QUOTA_RETRY_S = 60.0
"""When an owner with too many sessions may ask again: one may have ended by then."""


@dataclass(frozen=True, slots=True)
class Running:
    """A session that runs; `transcription` is None while it is being opened.

    `keeping` keeps its transcript, and is None where nobody does; `is_kept` says whether the store
    remembers it.
    """

    owner: str
    transcription: Transcription | None = None
    is_kept: bool = False
    keeping: Keeping | None = None

    @property
    def is_over(self) -> bool:
        """Whether only its last words are waited for."""
        return self.transcription is not None and self.transcription.is_over

    @property
    def left_at(self) -> float | None:
        """Return since when it waits for its client; None where that is here."""
        return None if self.transcription is None else self.transcription.presence.left_at


class Admission:
    """The limits: of the process, and of each owner.

    Where one is reached, the session whose client is gone for longest makes room.

    Args:
        settings: `max_live` and `key_live`.
        overload: Why the process can take no more, one short sentence each.
        metrics: Where refusals are counted.
    """

    def __init__(
        self, settings: Settings, overload: Callable[[], Sequence[str]], metrics: Metrics
    ) -> None:
        self._settings = settings
        self._overload = overload
        self._metrics = metrics
        self.is_stopping = False

    def admit(self, owner: str, running: Collection[Running]) -> None:
        """Check that an owner may have one more.

        Raises:
            BusyError: Nobody may.
            QuotaError: This one may not.
        """
        if self.is_stopping:
            raise self._refused("stopping", BusyError("the service stops; try again later"))
        if reasons := self._overload():
            text = f"no new live sessions now ({', '.join(reasons)}); try again later"
            raise self._refused("overload", BusyError(text))
        alive = [each for each in running if not each.is_over]
        own = [each for each in alive if each.owner == owner]
        quota, most = self._settings.key_live, self._settings.max_live
        if quota and len(own) >= quota and not _make_room(own):
            text = f"{len(own)} live sessions are all of this key"
            raise self._refused("quota", QuotaError(text, retry_in_s=QUOTA_RETRY_S))
        is_full = len(alive) >= most and not _make_room(alive)
        # Those that are just ending take memory too.
        if is_full or len(running) >= 2 * most:
            text = f"{len(running)} live sessions are all there may be; try again later"
            raise self._refused("full", BusyError(text))

    def _refused(self, reason: str, error: LivebotError) -> LivebotError:
        self._metrics.live_refused.labels(reason).inc()
        return error


def _make_room(among: Collection[Running]) -> bool:
    """End the session whose client is gone for longest; return False where all are here."""
    gone = [(each.left_at, each) for each in among if each.left_at is not None]
    if not gone:
        return False
    _, oldest = min(gone, key=lambda each: each[0])
    if oldest.transcription is not None and not oldest.is_over:
        oldest.transcription.finish()
    return True
