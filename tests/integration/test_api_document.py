"""The running service does what its OpenAPI document says; schemathesis tries to disprove it."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from livebot.api.server import make_app, serve
from livebot.api.services import Services
from livebot.feeds.directory import Feeds
from livebot.ids import RoomToken, TalkSessionId
from livebot.metrics import Metrics
from livebot.rooms.readers import Wish
from livebot.services import open_services, open_store
from livebot.settings import Bind, Settings, load_settings
from livebot.stt.failover import Failover
from tests.support.fake_rooms import FakeApp, FakeRoom, FakeRooms
from tests.support.scripted_engine import ScriptedEngine

EXAMPLES = 12
"""Per operation; both runs together take a minute."""

SECONDS = 240.0

KEY, SECRET = "0123456789abcdef", "s3cret-of-the-app"
AS_CALLER = {"Authorization": f"Bearer {KEY}"}
AS_NEXTCLOUD = {
    "AA-VERSION": "32.0.0",
    "EX-APP-ID": "live_transcription",
    "EX-APP-VERSION": "1.2.3",
    "AA-REQUEST-ID": "1",
    "AUTHORIZATION-APP-API": base64.b64encode(f"alice:{SECRET}".encode()).decode(),
}
LIFECYCLE = "^/(init|enabled)$"
WEBSOCKETS = "^/(ws/transcribe|v1/listen|v1/realtime)$"
"""Which the document cannot say more of than that they want an upgrade."""

SWITCHED_OFF = (
    # What is well-formed may still be no language of ours, or no host that is known.
    "positive_data_acceptance",
)


class HalfFull(FakeRooms):
    """Rooms that run already where the token begins with a letter, with any reader in them."""

    def _room(self, token: RoomToken) -> FakeRoom:
        if token[0].isalpha() and token not in self.enabled:
            self.enabled[token] = FakeRoom(readers=_Anybody())
        return super()._room(token)


class _Anybody(dict[TalkSessionId, Wish]):
    """Readers among whom is everybody whose session begins with a letter."""

    def __contains__(self, who: object) -> bool:
        return str(who)[0].isalpha() or super().__contains__(who)

    def __missing__(self, who: TalkSessionId) -> Wish:
        return Wish()


@pytest.fixture
def settings() -> Settings:
    """Return the settings of an app that has a key besides, without a limit on requests."""
    return load_settings(
        api_keys=f"ops:{KEY}",
        nextcloud_url="https://cloud.example",
        app_id="live_transcription",
        app_secret=SECRET,
        app_version="1.2.3",
        app_host="127.0.0.1",
        app_port=0,
        requests_per_minute=0,
    )


@pytest.mark.timeout(SECONDS + 30)
@pytest.mark.parametrize(
    ("headers", "paths"),
    [
        (AS_CALLER, ("--exclude-path-regex", f"{LIFECYCLE}|{WEBSOCKETS}")),
        (AS_NEXTCLOUD, ("--include-path-regex", LIFECYCLE)),
    ],
    ids=["caller", "nextcloud"],
)
async def test_schemathesis_finds_nothing(
    settings: Settings, tmp_path: Path, headers: dict[str, str], paths: tuple[str, ...]
) -> None:
    """No server error, no status that is not in the document, no answer of another form.

    Spec: room-control/OpenAPI.
    """
    options = [*paths, "--exclude-checks", ",".join(SWITCHED_OFF)]
    for name, value in headers.items():
        options += ["--header", f"{name}: {value}"]
    async with (
        _services(settings, tmp_path) as services,
        serve(_app(settings, services), Bind("127.0.0.1", 0)) as port,
    ):
        url = f"http://127.0.0.1:{port}/openapi.json"
        code, said = await _run(url, options, tmp_path)

    assert code == 0, said


def _app(settings: Settings, services: Services) -> web.Application:
    rooms, apps = {"default": HalfFull(limit=1_000_000)}, {"default": FakeApp()}
    return make_app(rooms, settings, Metrics(), apps=apps, services=services)


@asynccontextmanager
async def _services(settings: Settings, folder: Path) -> AsyncIterator[Services]:
    """Have everything besides calls; no job is done, and nothing is heard."""
    metrics = Metrics()
    own = settings.model_copy(update={"data_dir": folder / "data", "jobs_at_once": 0})
    async with (
        Failover({"scripted": ScriptedEngine()}, metrics) as engine,
        open_store(own, metrics) as store,
        open_services(
            own, engine=engine, feeds=Feeds(), store=store, metrics=metrics, overload=list
        ) as services,
    ):
        yield services


async def _run(url: str, options: list[str], folder: Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", url, "--no-color", "--generation-deterministic"),
        *("--max-examples", str(EXAMPLES), "--checks", "all", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said.decode()
