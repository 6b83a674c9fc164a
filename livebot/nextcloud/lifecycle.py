"""The app's life as AppAPI sees it: prepared and reported, enabled, disabled.

AppAPI waits for `/init` to be answered at once and then for progress: 100 makes it enable the
app, an error ends the installation. It gives up after 40 minutes. Where it runs the container,
it stops that after it has disabled the app, and starts it to enable it.

What AppAPI sends has nothing that tells it from the same request sent again by somebody who
overheard it: its `AA-REQUEST-ID` is always `CLI`. So Nextcloud is asked a while after each
change, and at the start, and what it says counts.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self, TypeAlias

import structlog

from livebot.backoff import delay_s
from livebot.errors import LivebotError, NextcloudError
from livebot.nextcloud.client import Ocs
from livebot.nextcloud.enabled_file import EnabledFile
from livebot.nextcloud.ocs import AnswerError

log = structlog.get_logger("nextcloud")

Prepare: TypeAlias = Callable[[Callable[[int], None]], Awaitable[None]]
"""Makes the app ready, telling percents as it goes; raises LivebotError where it cannot."""

STATUS = "/ocs/v1.php/apps/app_api/ex-app/status"
OLD_STATUS = "/ocs/v1.php/apps/app_api/apps/status/{}"
"""Of AppAPI before 3.0."""

STATE = "/ocs/v1.php/apps/app_api/ex-app/state"
"""Whether the app is enabled; AppAPI tells that to a disabled one, too."""

STATE_AFTER_S = 20.0
"""When Nextcloud is asked after a change: it notes that the app is disabled after it said so."""

INIT_WITHIN_S = 2400.0
"""AppAPI's own deadline."""

STEP_WITHIN_S = 10.0
END_WITHIN_S = 90.0
"""Deadlines of one report: AppAPI answers 100 after it has enabled the app, which may take 60;
when it hears 100 once more, it answers at once."""

REPORT_EVERY_S = 2.0
"""Progress that comes faster is reported together."""

FIRST_RETRY_S = 1.0
MOST_RETRY_S = 60.0

LEAVE_WITHIN_S = 2.0
"""Old AppAPIs wait three seconds for an answer; what takes longer goes on without it."""

READY = 100
_MOST_STEP = 99


class AppLifecycle:
    """Keeps whether the app is enabled, and prepares it when Nextcloud says so.

    Entering it reads what was kept; leaving it ends its tasks.

    Args:
        nextcloud: Where progress is reported.
        app_id: As it is registered with AppAPI.
        prepare: Makes the app ready.
        on_disable: Ends what runs; called each time the app is disabled.
        storage: The folder AppAPI keeps for the app; None where there is none.
        chance: Random numbers in [0, 1).
    """

    def __init__(
        self,
        nextcloud: Ocs,
        *,
        app_id: str,
        prepare: Prepare,
        on_disable: Callable[[], Awaitable[None]],
        storage: Path | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._nextcloud = nextcloud
        self._old_status = OLD_STATUS.format(app_id)
        self._prepare = prepare
        self._on_disable = on_disable
        self._file = EnabledFile(storage)
        self._chance = chance
        self._enabled = True
        self._init: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[str] | None = None
        self._following: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        """Read whether the app was enabled; it is where nobody said otherwise."""
        self._enabled = await self._file.load()
        await self._group.__aenter__()
        self._following = self._group.create_task(self._follow(), name="app-state")
        return self

    async def __aexit__(self, *exc: object) -> None:
        """End what is under way."""
        for task in (self._init, self._leaving, self._following):
            if task is not None:
                task.cancel()
        await self._group.__aexit__(*exc)  # type: ignore[arg-type]

    @property
    def enabled(self) -> bool:
        """Whether Nextcloud wants the app to work."""
        return self._enabled

    async def set_enabled(self, on: bool) -> str:  # noqa: FBT001 - as AppAPI says it
        """Enable or disable the app, as often as Nextcloud likes.

        Returns:
            What went wrong; empty where nothing did.
        """
        self._changed.set()
        return await self._set(on=on)

    def begin_init(self) -> None:
        """Prepare the app in the background; nothing is begun twice at a time."""
        if self._init is None or self._init.done():
            self._init = self._group.create_task(self._run_init(), name="app-init")

    async def _set(self, *, on: bool) -> str:
        self._enabled = on
        log.info("app_enabled" if on else "app_disabled")
        await self._file.save(enabled=on)
        return "" if on else await self._leave()

    async def _follow(self) -> None:
        """Do as Nextcloud says, whatever somebody said in its name."""
        while True:
            self._changed.clear()
            on = await self._state()
            # Whoever changed it meanwhile knows better.
            if on not in (None, self._enabled) and not self._changed.is_set():
                log.warning("app_state_differed", nextcloud=on)
                await self._set(on=bool(on))
            await self._changed.wait()
            await asyncio.sleep(STATE_AFTER_S)

    async def _state(self) -> bool | None:
        """Return whether the app is enabled in Nextcloud; None where it does not say."""
        try:
            found = await self._nextcloud.ask("GET", STATE, within_s=STEP_WITHIN_S)
        except NextcloudError as exc:
            log.info("app_state_not_known", why=str(exc))
            return None
        return bool(found) if isinstance(found, int) else None

    async def _leave(self) -> str:
        if self._leaving is None or self._leaving.done():
            self._leaving = self._group.create_task(self._end_all(), name="app-disable")
        done, _ = await asyncio.wait({self._leaving}, timeout=LEAVE_WITHIN_S)
        return "".join(task.result() for task in done)

    async def _end_all(self) -> str:
        try:
            await self._on_disable()
        except LivebotError as exc:
            log.warning("app_not_left", error=str(exc))
            return str(exc)
        return ""

    async def _run_init(self) -> None:
        deadline = asyncio.get_running_loop().time() + INIT_WITHIN_S
        progress = _Progress()
        reporter = self._group.create_task(self._report_steps(progress), name="app-progress")
        try:
            async with asyncio.timeout_at(deadline):
                await self._prepare(progress.set)
            error = ""
        except TimeoutError:
            error = f"The app is not ready after {INIT_WITHIN_S / 60:g} minutes. See its log."
        except LivebotError as exc:
            error = str(exc)
        finally:
            reporter.cancel()
        await asyncio.wait({reporter})
        await self._report_end(error, deadline)

    async def _report_steps(self, progress: "_Progress") -> None:
        """Report how far it is; a report that fails is left out, for the next one says more."""
        while True:
            percent = await progress.next()
            try:
                await self._report(percent, "", STEP_WITHIN_S)
            except NextcloudError as exc:
                log.info("progress_not_reported", percent=percent, why=str(exc))
            await asyncio.sleep(REPORT_EVERY_S)

    async def _report_end(self, error: str, deadline: float) -> None:
        """Report that it is over, again and again until AppAPI has heard it or given up."""
        if error:
            log.error("app_not_ready", error=error)
        attempt = 0
        while (fault := await self._try_report_end(error)) is not None:
            is_refusal = isinstance(fault, AnswerError) and fault.is_refusal
            pause_s = delay_s(
                attempt,
                self._chance(),
                # Nextcloud slows down who shows a wrong secret often.
                first_s=MOST_RETRY_S if is_refusal else FIRST_RETRY_S,
                most_s=MOST_RETRY_S,
            )
            log.warning("init_not_reported", why=str(fault), retry_in_s=round(pause_s, 1))
            if asyncio.get_running_loop().time() + pause_s > deadline:
                log.error("init_never_reported")
                return
            attempt += 1
            await asyncio.sleep(pause_s)
        log.info("init_reported", ready=not error)

    async def _try_report_end(self, error: str) -> NextcloudError | None:
        try:
            await self._report(0 if error else READY, error, END_WITHIN_S)
        except NextcloudError as exc:
            return exc
        return None

    async def _report(self, percent: int, error: str, within_s: float) -> None:
        body = {"progress": percent, "error": error}
        try:
            await self._nextcloud.ask("PUT", STATUS, body=body, within_s=within_s)
        except AnswerError as exc:
            if not exc.is_unknown:
                raise
            await self._nextcloud.ask("PUT", self._old_status, body=body, within_s=within_s)


class _Progress:
    """The last percent that was told; it only grows, and 100 is not for `prepare` to say."""

    def __init__(self) -> None:
        self._percent = 0
        self._changed = asyncio.Event()

    def set(self, percent: int) -> None:
        if (percent := min(_MOST_STEP, percent)) > self._percent:
            self._percent = percent
            self._changed.set()

    async def next(self) -> int:
        await self._changed.wait()
        self._changed.clear()
        return self._percent
