"""Build what serves the Nextclouds: for each its engines, its rooms and its way to ask it."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import structlog

from livebot.errors import ConfigError
from livebot.feeds.directory import Feeds
from livebot.metrics import Metrics
from livebot.nextcloud.client import Nextcloud
from livebot.nextcloud.lifecycle import AppLifecycle
from livebot.nextcloud.talk import TalkSettings
from livebot.nextcloud.translator import NextcloudTranslator
from livebot.overload import Overload
from livebot.rooms.archive import Archive
from livebot.rooms.keeper import Keeper
from livebot.rooms.manager import RoomManager
from livebot.rooms.surroundings import Surroundings
from livebot.settings import Settings
from livebot.store.contract import Store
from livebot.stt import registry
from livebot.stt.engine import SttEngine
from livebot.stt.failover import Failover
from livebot.stt.languages import match

log = structlog.get_logger("app")


class Backends:
    """All Nextclouds of this process, from entering to leaving the context.

    Args:
        settings: Of the whole service.
        metrics: What is counted.
        overload: Says whether the process can take more.
        feeds: Where readers find what is said.
        store: What is kept; None for nothing.

    Attributes:
        rooms: The rooms of each backend, by its name.
        apps: The app's life in each Nextcloud; empty where this is no app.

    Raises:
        ConfigError: (on entering) The settings do not suffice.
        EngineError: (on entering) No engine of a backend can be started.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        overload: Overload,
        *,
        feeds: Feeds | None = None,
        store: Store | None = None,
    ) -> None:
        self._settings = settings
        self._feeds = Feeds() if feeds is None else feeds
        self._archive = Archive(store, metrics) if store else None
        self._metrics = metrics
        self._overload = overload
        self._stack = AsyncExitStack()
        self._engines: dict[tuple[object, ...], Failover] = {}
        self.rooms: dict[str, RoomManager] = {}
        self.apps: dict[str, AppLifecycle] = {}

    async def __aenter__(self) -> Self:
        """Start the engines, then the homes of the rooms."""
        found = self._settings.per_backend() if self._settings.calls == "on" else {}
        try:
            if self._archive:
                # Before the rooms: what they said last is kept after they are left.
                await self._stack.enter_async_context(self._archive)
            for name, settings in found.items():
                await self._build(name, settings)
        except BaseException:
            # Told nothing of it: the task groups of other backends would wrap it.
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop everything."""
        await self._stack.aclose()

    async def engine(self) -> Failover:
        """Return the engines of the top level, which a backend may share.

        Raises:
            EngineError: None can be started.
        """
        return await self._engine("live", self._settings)

    async def take_up(self) -> None:
        """Start the rooms that were wanted before the restart."""
        await asyncio.gather(*(manager.take_up() for manager in self.rooms.values()))

    async def drain(self, deadline_s: float) -> None:
        """Leave all rooms after their last words; done by the deadline."""
        await asyncio.gather(*(manager.drain(deadline_s) for manager in self.rooms.values()))

    async def _build(self, name: str, settings: Settings) -> None:
        enter = self._stack.enter_async_context
        engine = await self._engine(name, settings)
        _check_language(settings, engine)
        keeper = await enter(Keeper(self._own(settings.state_dir, name), self._metrics))
        nextcloud = translator = None
        if settings.is_app:
            nextcloud = await enter(Nextcloud.of(settings, self._metrics))
        if nextcloud and settings.translation != "off":
            translator = await enter(NextcloudTranslator(nextcloud, app_id=settings.app_id))
        around = Surroundings(
            overload=lambda: self._overload.reasons,
            full=self._full,
            may_listen=lambda: not self._speakers_full(),
            troubles=lambda: [*keeper.troubles, *engine.troubles(), *self._unkept()],
            keep=keeper.keep,
            found=keeper.found,
            talk=TalkSettings.of(settings, nextcloud) if nextcloud else None,
            translator=translator,
            name=name,
            feeds=self._feeds,
            archive=self._archive,
        )
        manager = RoomManager(settings, engine=engine, metrics=self._metrics, around=around)
        self.rooms[name] = await enter(manager)
        if nextcloud:
            app = AppLifecycle(
                nextcloud,
                app_id=settings.app_id,
                prepare=_prepare,
                on_disable=manager.disable_all,
                storage=self._own(settings.app_storage, name),
            )
            self.apps[name] = await enter(app)

    async def _engine(self, name: str, settings: Settings) -> Failover:
        """Return the backend's engines; backends whose engines are the same share them."""
        options = {each: settings.engine_options(each) for each in settings.engine_names}
        key = tuple((each, *sorted(given.items())) for each, given in options.items())
        if key not in self._engines:
            # Importing reads the disk, and some engines are large.
            loaded = await asyncio.to_thread(_load, options)
            if self._engines:
                loaded = {f"{each}@{name}": engine for each, engine in loaded.items()}
            engine = Failover(loaded, self._metrics)
            self._engines[key] = await self._stack.enter_async_context(engine)
        return self._engines[key]

    def _own(self, folder: Path | None, name: str) -> Path | None:
        """Return where a backend keeps something: apart from the others, where there are any."""
        return folder / name if folder and self._settings.backends else folder

    def _unkept(self) -> list[str]:
        return self._archive.troubles() if self._archive else []

    def _full(self) -> list[str]:
        """Why the process may have no more rooms, whichever backend asks."""
        rooms = sum(manager.room_count for manager in self.rooms.values())
        return [*self._reached(rooms, self._settings.max_rooms, "rooms"), *self._speakers_full()]

    def _speakers_full(self) -> list[str]:
        speakers = sum(manager.speaker_count for manager in self.rooms.values())
        return self._reached(speakers, self._settings.max_speakers, "speakers")

    def _reached(self, count: int, limit: int, what: str) -> list[str]:
        """Say that a limit of the process is reached; the only backend has the same limits."""
        is_reached = self._settings.backends and count >= limit
        return [f"{count} of {limit} {what} of all backends"] if is_reached else []


async def _prepare(report: object) -> None:
    """Have nothing to do: the engines are ready before the service listens."""
    del report


def _load(options: Mapping[str, Mapping[str, str]]) -> dict[str, SttEngine]:
    """Build the engines, in order of preference."""
    return {name: registry.load(name, given) for name, given in options.items()}


def _check_language(settings: Settings, engine: SttEngine) -> None:
    """Check that calls whose request names no language can be captioned.

    Raises:
        ConfigError: They cannot.
    """
    known = engine.capabilities.languages
    if match(settings.language, known) is None:
        raise ConfigError(
            f"LT_DEFAULT_LANGUAGE is {settings.language}, which the engine does not understand."
            f" Set one of {', '.join(sorted(known))}."
        )
