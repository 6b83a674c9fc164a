"""What `livebot doctor` finds: the effective settings, and whether each connection works."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import ByteSize, SecretStr

from livebot.errors import (
    ConfigError,
    LivebotError,
    NextcloudError,
    SignalingError,
    SignalingRefusedError,
)
from livebot.metrics import Metrics
from livebot.nextcloud.client import Nextcloud
from livebot.nextcloud.talk import TalkSettings
from livebot.services import open_store
from livebot.settings import Settings
from livebot.signaling.client import try_hello
from livebot.stt import registry
from livebot.stt.engine import SttEngine
from livebot.stt.languages import match

_HELLO_CURES = {
    "invalid_token": "LT_INTERNAL_SECRET is not the server's `internalsecret`.",
    "invalid_client_type": "The server has no `internalsecret` in its section `[clients]`.",
    "invalid_backend": "Set NEXTCLOUD_URL to a backend that the server knows.",
    "too_many_requests": "Wait a minute: the server slows down who failed often.",
}
_HELLO_CURE = "Check LT_HPB_URL, and that this machine reaches the server."
_NEXTCLOUD_CURE = "Check NEXTCLOUD_URL and APP_SECRET, and that AppAPI has the app enabled."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    Attributes:
        what: What was tried.
        ok: Whether it works.
        detail: What was found.
        cure: What to do where it does not work; empty where the detail says it.
    """

    what: str
    ok: bool
    detail: str
    cure: str = ""


def effective(settings: Settings) -> list[tuple[str, str]]:
    """Return every variable with its value; of secrets, only whether they are set.

    What a backend has of its own comes last, as `NAME: VARIABLE`.
    """
    fields = Settings.model_fields
    rows = [
        (str(field.validation_alias), _shown(name, getattr(settings, name)))
        for name, field in fields.items()
    ]
    for backend in settings.backends:
        for name, value in backend.own.items():
            variable = f"{backend.name}: {fields[name].validation_alias}"
            rows.append((variable, _shown(name, value)))
    return rows


def _shown(name: str, value: object) -> str:
    match name, value:
        case _, None | "" | ():
            return "not set"
        case _, SecretStr():
            return "set, hidden" if value.get_secret_value() else "not set"
        case _, tuple():
            return ", ".join(_listed(name, value))
        case _, ByteSize():
            return value.human_readable() if value else "0"
        case _, str() if "?" in value:
            # A query may hold a key.
            return urlsplit(value)._replace(query="hidden").geturl()
        case _:
            return str(value)


def _listed(name: str, values: tuple[Any, ...]) -> Iterator[str]:
    match name:
        case "api_keys":
            yield from (f"{key.name}: hidden" for key in values)
        case "ice_servers":
            yield from (url for server in values for url in server.urls)
        case "backends":
            yield from (backend.name for backend in values)
        case _:
            yield from map(str, values)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Try everything that a service needs, one after the other, for each backend."""
    problems = [sentence for _, sentence in settings.call_problems()]
    for sentence in problems:
        yield Finding("settings", ok=False, detail=sentence)
    if not problems:
        yield Finding("settings", ok=True, detail="complete")
    yield await check_store(settings)
    if settings.calls == "off":
        async for found in _examine_engines(settings):
            yield found
        return
    for name, backend in settings.per_backend().items():
        label = f"backend {name}: " if settings.backends else ""
        async for found in _examine_backend(backend):
            yield replace(found, what=label + found.what)


async def _examine_backend(settings: Settings) -> AsyncIterator[Finding]:
    if settings.is_app:
        yield await check_nextcloud(settings)
    yield await check_hpb(settings)
    async for found in _examine_engines(settings):
        yield found


async def _examine_engines(settings: Settings) -> AsyncIterator[Finding]:
    for name in settings.engine_names:
        yield await check_engine(settings, name)
    yield await check_language(settings)


async def check_store(settings: Settings) -> Finding:
    """Open what is kept."""
    what = "database"
    try:
        async with open_store(settings, Metrics()) as found:
            if isinstance(found, str):
                return Finding(what, ok=False, detail=f"none: {found}")
            return Finding(what, ok=True, detail=f"opens; files are in {found.folder}")
    except ConfigError as exc:
        return Finding(what, ok=False, detail=" ".join(exc.problems))


async def check_nextcloud(settings: Settings) -> Finding:
    """Ask Talk's settings, as the app does in calls."""
    what = "Nextcloud"
    if settings.nextcloud_url is None or not settings.app_secret.get_secret_value():
        return _not_tried(what)
    try:
        async with _talk(settings) as talk:
            servers = await talk.ice_servers()
    except NextcloudError as exc:
        return Finding(what, ok=False, detail=str(exc), cure=_NEXTCLOUD_CURE)
    return Finding(what, ok=True, detail=f"knows this app; STUN and TURN servers: {len(servers)}")


async def check_hpb(settings: Settings) -> Finding:
    """Say hello to the signaling server."""
    what = "signaling server"
    secret = settings.internal_secret.get_secret_value()
    if not secret or not (settings.hpb_url or (settings.is_app and settings.nextcloud_url)):
        return _not_tried(what)
    try:
        url = await _hpb_url(settings)
        found = await try_hello(url, secret=secret, backend=settings.backend_url)
    except NextcloudError as exc:
        return Finding(what, ok=False, detail=f"not tried: {exc}")
    except SignalingRefusedError as exc:
        return Finding(what, ok=False, detail=str(exc), cure=_HELLO_CURES.get(exc.code, ""))
    except SignalingError as exc:
        return Finding(what, ok=False, detail=str(exc), cure=_HELLO_CURE)
    guessed = f"; Nextcloud guessed as {settings.backend_url}" if settings.backend_derived else ""
    return Finding(what, ok=True, detail=f"says hello, version {found}{guessed}")


def _not_tried(what: str) -> Finding:
    return Finding(what, ok=False, detail="not tried", cure="Complete the settings first.")


async def _hpb_url(settings: Settings) -> str:
    """Return the signaling server that is set, or else the one of Talk's settings."""
    if settings.hpb_url:
        return settings.hpb_socket_url
    async with _talk(settings) as talk:
        return await talk.hpb_url()


@asynccontextmanager
async def _talk(settings: Settings) -> AsyncIterator[TalkSettings]:
    asked = Nextcloud(
        settings.backend_url,
        app_id=settings.app_id,
        app_version=settings.app_version,
        aa_version=settings.aa_version,
        secret=settings.app_secret,
        metrics=Metrics(),
    )
    async with asked as nextcloud:
        yield TalkSettings(nextcloud)


async def check_engine(settings: Settings, name: str) -> Finding:
    """Start an engine and let it try itself."""
    what = f"engine {name}"
    try:
        async with await _load(settings, name) as engine:
            return Finding(what, ok=True, detail=await engine.check())
    except ConfigError as exc:
        return Finding(what, ok=False, detail=" ".join(exc.problems))
    except LivebotError as exc:
        return Finding(what, ok=False, detail=str(exc))


async def check_language(settings: Settings) -> Finding:
    """Ask whether an engine understands the language of calls that name none."""
    what, wanted = f"language {settings.language}", settings.language
    found: dict[str, list[str]] = {}
    for name in settings.engine_names:
        with suppress(ConfigError):  # told by `check_engine`
            for language in (await _load(settings, name)).capabilities.languages:
                found.setdefault(language, []).append(name)
    if known := match(wanted, found):
        return Finding(what, ok=True, detail=f"understood by {', '.join(found[known])}")
    cure = f"Set LT_DEFAULT_LANGUAGE to one of {', '.join(sorted(found))}." if found else ""
    return Finding(what, ok=False, detail="no engine understands it", cure=cure)


async def _load(settings: Settings, name: str) -> SttEngine:
    # Finding an engine and importing it reads files.
    return await asyncio.to_thread(registry.load, name, settings.engine_options(name))
