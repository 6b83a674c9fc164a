"""Every fault of the suite."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.faults.scenario import Call, Ground, Scenario
from tests.faults.stage import aside
from tests.system.world.hpb import Hpb, hpb
from tests.system.world.link import link
from tests.system.world.process import Process, WorldError, listens
from tests.system.world.stt_server import SttServer, stt_server

_DOWN_S = 5.0
"""How long a server is away: about what a restart by a supervisor takes."""

_POLL_S = 0.05
_UP_WITHIN_S = 30.0


async def back(process: Process, port: int) -> None:
    """Start a server again that has ended, and wait until it listens."""
    process.start()
    try:
        async with asyncio.timeout(_UP_WITHIN_S):
            while not listens(port)():  # noqa: ASYNC110 - asked of another process
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise WorldError(f"{process.name} does not come back:\n{process.tail()}") from None


async def end(process: Process, *, politely: bool) -> None:
    """End a server by SIGTERM or SIGKILL."""
    if politely:
        await asyncio.to_thread(process.stop)
    else:
        process.kill()


@asynccontextmanager
async def signaling_restart(folder: Path, _: Hpb, *, politely: bool) -> AsyncIterator[Ground]:
    """End the signaling server and start it again; people come back as new sessions."""
    async with aside(hpb(folder / "hpb")) as own:

        async def strike(_: Call) -> None:
            server = own.processes["signaling"]
            await end(server, politely=politely)
            await asyncio.sleep(_DOWN_S)
            await back(server, own.signaling_port)

        yield Ground(own, strike)


@asynccontextmanager
async def socket_cut(_: Path, shared: Hpb, *, seconds: float) -> AsyncIterator[Ground]:
    """Cut the bot's own connection to the signaling server for a while."""
    async with link(shared.signaling_port) as way:

        async def strike(_: Call) -> None:
            await way.cut()
            await asyncio.sleep(seconds)
            await way.mend()

        yield Ground(shared, strike, {"LT_HPB_URL": f"http://127.0.0.1:{way.port}"})


@asynccontextmanager
async def remote_engine(folder: Path) -> AsyncIterator[SttServer]:
    """Run a speech service of the scenario's own."""
    async with aside(stt_server(folder / "stt-server")) as found:
        yield found


@asynccontextmanager
async def stt_killed(folder: Path, shared: Hpb) -> AsyncIterator[Ground]:
    """Kill the speech service and start it again after 10 s."""
    async with remote_engine(folder) as stt:

        async def strike(_: Call) -> None:
            stt.process.kill()
            await asyncio.sleep(10)
            await back(stt.process, stt.port)

        yield Ground(shared, strike, {"LT_ENGINE": "kyutai", "STT_STREAM_URL": stt.url})


SCENARIOS = (
    Scenario(
        "signaling-kill",
        "signaling server killed, back after 5 s",
        partial(signaling_restart, politely=False),
    ),
    Scenario(
        "socket-cut-25",
        "bot's signaling socket cut for 25 s",
        partial(socket_cut, seconds=25),
        loses_nothing=True,
    ),
    Scenario(
        "stt-kill",
        "speech service killed, back after 10 s",
        stt_killed,
        loses_nothing=True,
    ),
)
