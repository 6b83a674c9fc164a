"""The TURN server ends, and the network between it and the bot is bad for one speaker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.faults.scenario import Call, Ground, Scenario
from tests.faults.servers import back
from tests.faults.stage import aside
from tests.system.world.hpb import Hpb
from tests.system.world.lossy import FAIR, Weather, lossy_relay
from tests.system.world.turn import turn

_HEALTHY_LOSS = 0.1
"""So little is made up for, and words do not suffer."""

_RELAYED = {"LT_ICE_POLICY": "relay"}


@asynccontextmanager
async def _turn_killed(folder: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async with aside(turn(folder / "turn")) as own:

        async def strike(_: Call) -> None:
            own.process.kill()
            await asyncio.sleep(10)
            await back(own.process, own.port)

        yield Ground(shared, strike, _RELAYED, (own.ice_server("udp"),))


@asynccontextmanager
async def _weather(
    folder: Path, shared: Hpb, *, weather: Weather, seconds: float
) -> AsyncIterator[Ground]:
    """Let the weather be bad for Alice's audio for a while."""
    async with aside(turn(folder / "turn")) as own, lossy_relay(own.port) as relay:

        async def strike(_: Call) -> None:
            relay.spare(after=relay.clients // 2)
            relay.weather = weather
            await asyncio.sleep(seconds)
            relay.weather = FAIR

        server = own.ice_server("udp")
        server["urls"] = [f"turn:127.0.0.1:{relay.port}?transport=udp"]
        yield Ground(shared, strike, _RELAYED, (server,))


def _bad(name: str, fault: str, weather: Weather, seconds: float = 15.0) -> Scenario:
    return Scenario(
        name,
        f"{fault} for {seconds:g} s",
        partial(_weather, weather=weather, seconds=seconds),
        spares_bob=True,
        is_reported=weather.blackout or weather.loss > _HEALTHY_LOSS,
        after_s=10.0,
    )


FAULTS = (
    Scenario("turn-kill", "TURN server killed, back after 10 s", _turn_killed, after_s=32.0),
    _bad("loss-5", "5 % of a speaker's packets lost", Weather(loss=0.05)),
    _bad("loss-20", "20 % of a speaker's packets lost", Weather(loss=0.2)),
    _bad("jitter", "a speaker's packets late by 0 to 100 ms", Weather(jitter_s=0.1)),
    _bad("reordered", "10 % of a speaker's packets overtaken", Weather(reordered=0.1)),
    _bad("blackout", "no packet of a speaker's", Weather(blackout=True), 12.0),
)
