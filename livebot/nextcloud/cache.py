"""One value from far away: fetched by one at a time, kept while it is good, asked for in time.

While it cannot be renewed, what was kept is used for as long as it holds; and nobody asks
again for a while, so that a dead server costs one caller a wait now and then, not everybody.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from livebot.errors import NextcloudError
from livebot.nextcloud.ocs import AnswerError

log = structlog.get_logger("nextcloud")

T = TypeVar("T")

REST_S = 5.0
"""Nobody asks again for so long after it failed ..."""

REFUSED_REST_S = 60.0
"""... and for so long where Nextcloud does not know us: it slows down who fails often."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A value and how good it is.

    Attributes:
        value: It.
        fresh_s: For so long from now, nobody needs to ask again.
        holds_s: For so long from now, it can be used; not shorter than `fresh_s`.
    """

    value: T
    fresh_s: float
    holds_s: float


class Cache(Generic[T]):
    """Keeps one value.

    Args:
        fetch: Asks for it; raises NextcloudError where that fails, within a deadline of its own
            that is shorter than `within_s`.
        name: What it is, for the log.
        within_s: Nobody waits for longer, whoever asks before them.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[Kept[T]]], name: str, within_s: float
    ) -> None:
        self._fetch = fetch
        self._name = name
        self._within_s = within_s
        self._kept: Kept[T] | None = None
        self._kept_at = 0.0
        self._fault: NextcloudError | None = None
        self._rests_until = 0.0
        self._turn = asyncio.Lock()

    async def get(self) -> T:
        """Return the value, asked for or kept.

        Raises:
            NextcloudError: It cannot be had, and there is none that still holds.
        """
        try:
            async with asyncio.timeout(self._within_s):
                # Whoever had the turn before may have fetched it, or found that it cannot be.
                if not self._is_settled():
                    async with self._turn:
                        if not self._is_settled():
                            await self._renew()
        except TimeoutError:
            pass
        if (kept := self._good(fresh=False)) is not None:
            return kept.value
        # A new one each time: a raised exception collects the tracks of all who raise it.
        why = str(self._fault or f"Nextcloud did not tell its {self._name} in time")
        raise NextcloudError(why) from self._fault

    def _is_settled(self) -> bool:
        """Say whether asking is not needed, or did not help a moment ago."""
        return self._good(fresh=True) is not None or self._rests()

    def forget(self) -> None:
        """Have it asked for at the next use."""
        self._kept = None

    def _good(self, *, fresh: bool) -> Kept[T] | None:
        if self._kept is None:
            return None
        good_s = self._kept.fresh_s if fresh else self._kept.holds_s
        return self._kept if _now() < self._kept_at + good_s else None

    def _rests(self) -> bool:
        return self._fault is not None and _now() < self._rests_until

    async def _renew(self) -> None:
        try:
            self._kept = await self._fetch()
        except NextcloudError as exc:
            is_refusal = isinstance(exc, AnswerError) and exc.is_refusal
            self._rests_until = _now() + (REFUSED_REST_S if is_refusal else REST_S)
            log.warning(
                "nextcloud_not_asked",
                what=self._name,
                why=str(exc),
                has_older=self._good(fresh=False) is not None,
            )
            self._fault = exc.with_traceback(None)
        else:
            self._kept_at = _now()
            self._fault = None


def _now() -> float:
    return asyncio.get_running_loop().time()
