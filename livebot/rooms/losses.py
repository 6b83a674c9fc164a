"""What a room's readers miss: counted, shown to operators, and told to the readers."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from livebot.captions import notice
from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.ids import SessionId, short
from livebot.metrics import Metrics

log = structlog.get_logger("room")

KEPT = 20
"""So many gaps are shown with a room, the newest."""


@dataclass(slots=True)
class _Open:
    """A gap that goes on."""

    gap: Gap
    counted_s: float = 0.0
    is_told: bool = False


class Losses:
    """The gaps of one room.

    Args:
        metrics: Where they are counted.
        on_notice: Called with what readers are to be told: a gap that has become long enough, and
            the end of any.
        is_here: Asked whether a speaker is listened to; of others readers are told nothing.
        on_gap: Called with the same as `on_notice`, whoever is here.

    Attributes:
        recent: The newest gaps that are over, oldest first.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        on_notice: Callable[[SessionId, Gap], None],
        is_here: Callable[[SessionId], bool],
        on_gap: Callable[[SessionId, Gap], None] = lambda _session, _gap: None,
    ) -> None:
        self._on_gap = on_gap
        self._metrics = metrics
        self._on_notice = on_notice
        self._is_here = is_here
        self._open: dict[tuple[SessionId, Cause], _Open] = {}
        self._away_since: float | None = None
        self._back_at: float | None = None
        self._untold = False  # we were away, and nobody who is here lost words by it
        self.recent: deque[tuple[SessionId, Gap]] = deque(maxlen=KEPT)

    @property
    def troubles(self) -> list[str]:
        """What readers miss now, one short sentence for each cause."""
        return [f"words are lost ({cause})" for cause in sorted({c for _, c in self._open})]

    def away(self, now: float) -> None:
        """Note that the connection is gone; `now` as everywhere on the room's time line."""
        if self._away_since is None or self._back_at is not None:
            self._away_since = now
        self._back_at = None

    def back(self, now: float, *, is_stranger: bool) -> None:
        """Note that it is there again, and whether the server has forgotten us meanwhile."""
        if self._away_since is None or self._back_at is not None:
            return  # into the room for the first time, or into another
        self._untold = is_stranger or self._untold
        self._back_at = now

    def caption(self, session: SessionId, caption: Caption, now: float) -> None:
        """Note that a reader gets a caption: before it, tell what came of having been away.

        Where the server itself was away everybody comes back as somebody new, and no speaker
        of before is left to tell it of.
        """
        if not self._untold or self._away_since is None or not self._is_here(session):
            return
        end = now if caption.start is None else min(now, caption.start)
        if end > self._away_since:
            gap = Gap(Cause.SIGNALING, self._away_since, end, end - self._away_since)
            self.note(session, gap)
        self._untold = False

    def note(self, session: SessionId, gap: Gap) -> None:
        """Take in a report of a gap; any number of them until the one with its end."""
        if self._was_away(gap):
            self._untold = self._untold and not self._is_here(session)
            if (session, gap.cause) not in self._open:
                gap = replace(gap, cause=Cause.SIGNALING)
        key = session, gap.cause
        found = self._open.get(key)
        found = found or _Open(gap)
        is_news = gap.end is not None or (gap.lost_s >= notice.NOTICE_S and not found.is_told)
        found.is_told = found.is_told or is_news
        self._count(found, gap.lost_s)
        if gap.end is None:
            self._open[key] = found
        else:
            self._open.pop(key, None)
            self.recent.append((session, gap))
        if is_news:
            log.warning(
                "captions_missing",
                speaker=short(session),
                cause=gap.cause,
                lost_s=round(gap.lost_s, 1),
                over=gap.end is not None,
            )
            self._on_gap(session, gap)
            if self._is_here(session):
                self._on_notice(session, gap)

    def tick(self, now: float) -> None:
        """Count what goes on: without any audio every second is lost."""
        for (_, cause), found in self._open.items():
            if cause in (Cause.MEDIA, Cause.SIGNALING):
                self._count(found, now - found.gap.start)

    def _count(self, found: _Open, lost_s: float) -> None:
        self._metrics.gap_seconds.labels(found.gap.cause).inc(max(0.0, lost_s - found.counted_s))
        found.counted_s = max(found.counted_s, lost_s)

    def _was_away(self, gap: Gap) -> bool:
        """Say whether audio stopped because we were out of the room."""
        if gap.cause is not Cause.MEDIA or self._away_since is None:
            return False
        return self._back_at is None or gap.start <= self._back_at
