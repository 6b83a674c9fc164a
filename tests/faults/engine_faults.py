"""The speech service ends, hangs, is slow, or ends every stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.scenario import Call, Ground, Scenario
from tests.faults.servers import back
from tests.faults.stage import aside
from tests.system.world.hpb import Hpb
from tests.system.world.stt_proxy import stt_proxy
from tests.system.world.stt_server import stt_server


def _remote(url: str, engine: str = "kyutai") -> dict[str, str]:
    return {"LT_ENGINE": engine, "STT_STREAM_URL": url}


@asynccontextmanager
async def _killed(folder: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async with aside(stt_server(folder / "stt-server")) as stt:

        async def strike(_: Call) -> None:
            stt.process.kill()
            await asyncio.sleep(10)
            await back(stt.process, stt.port)

        yield Ground(shared, strike, _remote(stt.url))


@asynccontextmanager
async def _dead(folder: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async with aside(stt_server(folder / "stt-server")) as stt:

        async def strike(_: Call) -> None:
            stt.process.kill()

        yield Ground(shared, strike, _remote(stt.url, "kyutai,local"))


@asynccontextmanager
async def _hung(folder: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async with aside(stt_server(folder / "stt-server")) as stt:

        async def strike(_: Call) -> None:
            stt.process.pause()
            await asyncio.sleep(15)
            stt.process.resume()

        yield Ground(shared, strike, _remote(stt.url))


@asynccontextmanager
async def _slow(folder: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async with aside(stt_server(folder / "stt-server")) as stt, stt_proxy(stt.url) as proxy:

        async def strike(_: Call) -> None:
            proxy.slowness = 2.0
            await asyncio.sleep(15)
            proxy.slowness = 0.0

        yield Ground(shared, strike, _remote(proxy.url))


@asynccontextmanager
async def _closing(folder: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async with aside(stt_server(folder / "stt-server")) as stt, stt_proxy(stt.url) as proxy:

        async def strike(_: Call) -> None:
            proxy.closes_after_s = 20.0
            await asyncio.sleep(45)
            proxy.closes_after_s = None

        yield Ground(shared, strike, _remote(proxy.url))


FAULTS = (
    Scenario("stt-kill", "speech service killed, back after 10 s", _killed, loses_nothing=True),
    Scenario(
        "stt-dead",
        "speech service killed for good, engine kyutai,local",
        _dead,
        is_final=True,
        loses_nothing=True,
        after_s=25.0,
    ),
    Scenario("stt-hung", "speech service hangs for 15 s", _hung, loses_nothing=True, after_s=20.0),
    Scenario(
        "stt-slow",
        "speech service takes audio at half speed for 15 s",
        _slow,
        is_reported=False,
        loses_nothing=True,
        after_s=20.0,
    ),
    Scenario(
        "stt-closing",
        "speech service closes with 1000 every 20 s, for 45 s",
        _closing,
        loses_nothing=True,
    ),
)
