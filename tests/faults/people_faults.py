"""Nothing happens, for comparison; a speaker's browser is reloaded, or killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.scenario import Call, Ground, Scenario
from tests.system.world.browser_visitor import BrowserVisitor
from tests.system.world.hpb import Hpb

_CALM_S = 20.0
"""As long as the other faults that spare somebody."""


@asynccontextmanager
async def _nothing(_: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async def strike(_: Call) -> None:
        await asyncio.sleep(_CALM_S)

    yield Ground(shared, strike)


@asynccontextmanager
async def _reloaded(_: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async def strike(call: Call) -> None:
        assert isinstance(call.alice, BrowserVisitor)
        await call.alice.reload()

    yield Ground(shared, strike, has_browser=True)


@asynccontextmanager
async def _killed(_: Path, shared: Hpb) -> AsyncIterator[Ground]:
    async def strike(call: Call) -> None:
        assert isinstance(call.alice, BrowserVisitor)
        call.alice.kill()
        await asyncio.sleep(5)
        await call.alice.come()

    yield Ground(shared, strike, has_browser=True)


FAULTS = (
    Scenario("nothing", "none", _nothing, is_reported=False, loses_nothing=True, spares_bob=True),
    Scenario(
        "browser-reload",
        "a speaker's Chromium reloaded",
        _reloaded,
        is_reported=False,
        spares_bob=True,
    ),
    Scenario(
        "browser-kill",
        "a speaker's Chromium killed, another comes after 5 s",
        _killed,
        is_reported=False,
        spares_bob=True,
        # The old session is in the call for half a minute.
        after_s=30.0,
    ),
)
