"""Tests of `livebot.ids`."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.ids import short


@given(st.text())
def test_short_never_shows_more_than_half(identifier: str) -> None:
    """What stands in a log is never enough to join a room with."""
    shown = short(identifier).removesuffix("…")

    assert identifier.startswith(shown)
    assert len(shown) <= min(4, len(identifier) / 2)


@pytest.mark.virtual_time
async def test_waiting_takes_no_time() -> None:
    """An hour on the virtual loop is over at once."""
    loop = asyncio.get_running_loop()
    start = loop.time()

    await asyncio.sleep(3600)

    assert loop.time() - start >= 3600
