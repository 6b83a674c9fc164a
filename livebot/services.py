"""Build what the service does besides calls: what is kept, jobs, live sessions."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from livebot import logs
from livebot.api.services import Services
from livebot.errors import ConfigError, StoreError
from livebot.feeds.directory import Feeds
from livebot.jobs.service import Jobs
from livebot.live.sessions import LiveSessions
from livebot.metrics import Metrics
from livebot.settings import Settings
from livebot.store import Store
from livebot.store.places import data_dir
from livebot.stt.failover import Failover

log = logs.get("app")

_DAY_S = 86_400.0


@asynccontextmanager
async def open_store(settings: Settings, metrics: Metrics) -> AsyncIterator[Store | str]:
    """Open what is kept; yield why there is none where nobody asked for it and none can be had.

    Raises:
        ConfigError: There is none, and the settings name one.
    """
    folder, is_named = data_dir(settings)
    is_wanted = is_named or bool(settings.database_url.get_secret_value())
    store = Store(
        folder,
        url=settings.database_url.get_secret_value(),
        retention_s=settings.retention_days * _DAY_S or None,
        resume_s=settings.live_resume_s,
        metrics=metrics,
    )
    async with AsyncExitStack() as stack:
        try:
            found: Store | str = await stack.enter_async_context(store)
        except StoreError as exc:
            if is_wanted:
                raise ConfigError(f"LT_DATA_DIR, LT_DATABASE_URL: {exc}") from exc
            log.warning("store_not_opened", error=str(exc), cure="set LT_DATA_DIR")
            found = f"{exc}; set LT_DATA_DIR"
        yield found


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    engine: Failover,
    feeds: Feeds,
    store: Store | str,
    metrics: Metrics,
    overload: Callable[[], Sequence[str]],
) -> AsyncIterator[Services]:
    """Begin jobs and live sessions; they end with the context.

    Args:
        settings: Of the whole service.
        engine: Where live audio goes; entered already.
        feeds: Where readers find what is said.
        store: What is kept, or why nothing is.
        metrics: What is counted.
        overload: Says why no more can be taken.
    """
    kept, why = (None, store) if isinstance(store, str) else (store, "it is switched off")
    async with AsyncExitStack() as stack:
        jobs = live = None
        if kept is not None:
            jobs = await stack.enter_async_context(
                Jobs(settings, store=kept, metrics=metrics, host=engine.host)
            )
        if settings.max_live:
            live = await stack.enter_async_context(
                LiveSessions(
                    settings,
                    engine=engine,
                    feeds=feeds,
                    store=kept,
                    metrics=metrics,
                    overload=overload,
                )
            )
        yield Services(
            feeds=feeds,
            store=kept,
            jobs=jobs,
            live=live,
            why=why,
            page=settings.page,
            calls=settings.calls == "on",
            languages=engine.capabilities.languages,
        )
