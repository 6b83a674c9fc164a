"""Tests of `livebot.live.keeping`: transcripts, and a store that fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from livebot.feeds.events import EventWord, Final, Gap
from livebot.live.keeping import LAST_S, MOST_WAITING, RETRY_S, Keeping
from livebot.metrics import Metrics
from livebot.store.contract import Transcripts
from livebot.store.records import Kind, TranscriptHead
from tests.support.scripted_store import ScriptedTranscripts

pytestmark = pytest.mark.virtual_time

HEAD = TranscriptHead(id="a" * 32, kind=Kind.LIVE, owner="me")


def final(number: int) -> Final:
    """Return an utterance."""
    words = (EventWord(f"word{number}", float(number), number + 0.5),)
    return Final(f"u{number}", f"word{number}", words, start=float(number), end=number + 0.5)


@asynccontextmanager
async def keeping(store: ScriptedTranscripts, metrics: Metrics) -> AsyncIterator[Keeping]:
    """Run one; at the end it is closed, and must end soon."""
    made = Keeping(cast("Transcripts", store), HEAD, person="Ada", metrics=metrics)
    async with asyncio.TaskGroup() as group:
        group.create_task(made.run())
        yield made
        made.close()


def unkept(metrics: Metrics) -> float:
    """Return how many were lost."""
    return metrics.registry.get_sample_value("transcription_live_unkept_total") or 0.0


async def test_what_is_said_is_kept_in_order() -> None:
    """Finals and gaps that are over, with who speaks."""
    store, metrics = ScriptedTranscripts(), Metrics()
    async with keeping(store, metrics) as it:
        for number in range(300):
            it.put(final(number))
        it.put(Gap("g1", "engine", 1.0, None, 0.5))
        it.put(Gap("g1", "engine", 1.0, 2.0, 1.0))
    await it.end(ended_at=5.0, duration=300.0)

    assert store.texts == [f"word{number}" for number in range(300)]
    assert {said.person for said in store.said[HEAD.id]} == {"Ada"}
    assert [gap.end for gap in store.missing[HEAD.id]] == [2.0]
    assert store.ended == {HEAD.id: 300.0}
    assert unkept(metrics) == 0


async def test_a_transcript_of_nothing_is_none() -> None:
    """Who says nothing leaves nothing."""
    store, metrics = ScriptedTranscripts(), Metrics()
    async with keeping(store, metrics) as it:
        pass
    await it.end(ended_at=5.0, duration=1.0)

    assert (store.heads, store.ended) == ({}, {})


async def test_a_store_that_fails_is_tried_again() -> None:
    """Nothing is lost, and nothing comes twice."""
    store, metrics = ScriptedTranscripts(faults=5), Metrics()
    async with keeping(store, metrics) as it:
        for number in range(10):
            it.put(final(number))
            await asyncio.sleep(RETRY_S)

    assert store.texts == [f"word{number}" for number in range(10)]


async def test_a_store_that_stays_away_holds_up_nobody() -> None:
    """The end comes all the same; what is lost is counted."""
    store, metrics = ScriptedTranscripts(is_away=True), Metrics()
    begun = asyncio.get_running_loop().time()
    async with keeping(store, metrics) as it:
        for number in range(MOST_WAITING + 7):
            it.put(final(number))
    assert asyncio.get_running_loop().time() - begun <= LAST_S + 1
    assert unkept(metrics) == MOST_WAITING + 7


async def test_a_store_that_hangs_holds_up_nobody() -> None:
    """As above."""
    store, metrics = ScriptedTranscripts(takes_s=1e6), Metrics()
    begun = asyncio.get_running_loop().time()
    async with keeping(store, metrics) as it:
        it.put(final(1))
    await it.end(ended_at=1.0, duration=1.0)
    assert asyncio.get_running_loop().time() - begun <= LAST_S + 1
    assert unkept(metrics) == 1
