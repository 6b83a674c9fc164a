"""The engine host as commands need it: built from the settings, its model checked first."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol, Self

from livebot.errors import ConfigError, EngineError
from livebot.recognising import FileHost
from livebot.settings import Settings
from livebot.stt.engine import SttStream
from livebot.stt.host.host import EngineHost
from livebot.stt.host.messages import Ready
from livebot.stt.host.options import HostOptions
from livebot.stt.languages import AUTO, match
from livebot.stt.models import Download
from livebot.stt.models.catalog import entry, is_folder


def options(settings: Settings, *, workers: int = 0) -> HostOptions:
    """Return what the host is to be built with.

    Args:
        settings: Which model, and within which limits.
        workers: Processes; 0 where the settings say, or one.

    Raises:
        ConfigError: There is no such model.
    """
    found = HostOptions.of(settings.host_options())
    if not is_folder(found.model):
        try:
            entry(found.model)
        except EngineError as exc:
            raise ConfigError(str(exc)) from exc
    return replace(found, workers=workers) if workers else found


class Host(FileHost, Protocol):
    """What commands use of an `EngineHost`; see there."""

    @property
    def readiness(self) -> Ready:
        """Return what its model is."""

    async def __aenter__(self) -> Self:
        """Load the model."""

    async def __aexit__(self, *exc: object) -> None:
        """Unload it."""

    def open(self, *, language: str) -> AbstractAsyncContextManager[SttStream]:
        """Open a stream of somebody who speaks now."""


def build(found: HostOptions, on_download: Callable[[Download], None]) -> Host:
    """Return a host that is to be entered; tests put another in its place."""
    return EngineHost(found, on_download)


def check_language(host: Host, wanted: str) -> None:
    """Check that the model of a host that runs understands a language.

    Raises:
        ConfigError: It does not.
    """
    known = host.readiness.languages
    if wanted != AUTO and match(wanted, known) is None:
        some = ", ".join(sorted(known))
        raise ConfigError(
            f"--language {wanted}: {host.readiness.model} understands {some}: choose another"
            " language, or another --model, like base"
        )


def check_translates(host: Host) -> None:
    """Check that the model of a host that runs can write English of other languages.

    Raises:
        ConfigError: It cannot.
    """
    if not host.readiness.translates:
        raise ConfigError(
            f"--translate: {host.readiness.model} cannot: choose another --model, like base or"
            " large-v3"
        )
