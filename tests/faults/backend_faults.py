"""The signaling server and the media server end, and the way to the first is cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.faults.scenario import Call, Ground, Scenario
from tests.faults.servers import back, end
from tests.faults.stage import aside
from tests.system.world.hpb import Hpb, hpb
from tests.system.world.link import link
from tests.system.world.visitor import Visitor

_DOWN_S = 5.0
"""How long a server is away: about what a restart by a supervisor takes."""

_NOTICED_S = 1.5
"""The signaling server finds Janus again within a second."""


@asynccontextmanager
async def _signaling(folder: Path, _: Hpb, *, politely: bool) -> AsyncIterator[Ground]:
    """End the signaling server and start it again; people come back as new sessions."""
    async with aside(hpb(folder / "hpb")) as own:

        async def strike(call: Call) -> None:
            server = own.processes["signaling"]
            await end(server, politely=politely)
            await asyncio.sleep(_DOWN_S)
            await back(server, own.signaling_port)
            await asyncio.gather(*(who.is_in.wait() for who in _people(call)))

        yield Ground(own, strike)


@asynccontextmanager
async def _janus(folder: Path, _: Hpb, *, politely: bool, down_s: float) -> AsyncIterator[Ground]:
    """End Janus and start it again; people leave the call and come back to it."""
    async with aside(hpb(folder / "hpb")) as own:

        async def strike(call: Call) -> None:
            server = own.processes["janus"]
            await end(server, politely=politely)
            await asyncio.sleep(down_s)
            await back(server, own.janus_port)
            await asyncio.sleep(_NOTICED_S)
            await asyncio.gather(*(who.leave_and_come() for who in _people(call)))

        yield Ground(own, strike)


@asynccontextmanager
async def _socket(
    _: Path, shared: Hpb, *, seconds: float, half_open: bool = False
) -> AsyncIterator[Ground]:
    """Cut the bot's own connection to the signaling server for a while."""
    async with link(shared.signaling_port) as way:

        async def strike(_: Call) -> None:
            if half_open:
                way.hush()
            else:
                way.cut()
            await asyncio.sleep(seconds)
            await way.mend()

        yield Ground(shared, strike, {"LT_HPB_URL": f"http://127.0.0.1:{way.port}"})


def _people(call: Call) -> list[Visitor]:
    return [who for who in (call.alice, call.bob) if isinstance(who, Visitor)]


FAULTS = (
    Scenario(
        "signaling-kill",
        "signaling server killed, back after 5 s",
        partial(_signaling, politely=False),
    ),
    Scenario(
        "signaling-term",
        "signaling server ended by SIGTERM, back after 5 s",
        partial(_signaling, politely=True),
    ),
    Scenario(
        "socket-cut-5",
        "bot's signaling socket cut for 5 s",
        partial(_socket, seconds=5),
        loses_nothing=True,
    ),
    Scenario(
        "socket-cut-25",
        "bot's signaling socket cut for 25 s",
        partial(_socket, seconds=25),
        loses_nothing=True,
    ),
    Scenario(
        "socket-cut-40",
        "bot's signaling socket cut for 40 s",
        partial(_socket, seconds=40),
        after_s=30.0,
    ),
    Scenario(
        "socket-half-open",
        "bot's signaling socket half open for 25 s",
        partial(_socket, seconds=25, half_open=True),
        loses_nothing=True,
    ),
    Scenario(
        "janus-term",
        "Janus ended by SIGTERM, back after 5 s, people rejoin",
        partial(_janus, politely=True, down_s=_DOWN_S),
    ),
    Scenario(
        "janus-kill",
        "Janus killed, back after 15 s, people rejoin",
        partial(_janus, politely=False, down_s=15.0),
    ),
)
