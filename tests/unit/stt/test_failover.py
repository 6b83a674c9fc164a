"""Engines in order of preference: who gets the streams, who waits, and what is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import pytest

from livebot.errors import (
    EngineBusyError,
    EngineError,
    EngineStalledError,
    EngineUnavailableError,
)
from livebot.metrics import Metrics
from livebot.stt.breaker import MOST_S
from livebot.stt.engine import Capabilities, Placed, SttStream, Word
from livebot.stt.failover import FAILOVER_AFTER_S, LAST_RESORT_S, Failover
from livebot.stt.stall import PATIENCE_S
from tests.support.scripted_engine import ScriptedStream

pytestmark = pytest.mark.virtual_time

DEAD = EngineError("nobody answers")
REFUSED = EngineError("the key is wrong", retryable=False)

ENGLISH = Capabilities({"en": "English"}, word_times=True, pauses=True, cold_start_s=120)


@dataclass
class Engine:
    """An engine whose streams open, or not, as the test says.

    Attributes:
        capabilities: What it says of itself.
        fault: Why it opens no stream now.
        opens_in_s: How long opening takes.
        start_faults: Why it does not start, the next times.
        starts: How often it was started.
        opened: When somebody tried to open a stream.
        opening: How many try at this moment.
        most_opening: How many ever tried at the same moment.
        streams: What was opened.
    """

    capabilities: Capabilities = ENGLISH
    fault: EngineError | None = None
    opens_in_s: float = 0.0
    start_faults: list[EngineError] = field(default_factory=list)
    starts: int = 0
    running: int = 0
    opened: list[float] = field(default_factory=list)
    opening: int = 0
    most_opening: int = 0
    streams: list[ScriptedStream] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Start, or fail to."""
        self.starts += 1
        if self.start_faults:
            raise self.start_faults.pop(0)
        self.running += 1
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop."""
        self.running -= 1

    @asynccontextmanager
    async def open(self, *, language: str) -> AsyncIterator[SttStream]:
        """Open a stream, or fail to."""
        assert language in self.capabilities.languages
        self.opened.append(now())
        self.opening += 1
        self.most_opening = max(self.most_opening, self.opening)
        try:
            await asyncio.sleep(self.opens_in_s)
        finally:
            self.opening -= 1
        if self.fault:
            raise self.fault
        self.streams.append(ScriptedStream())
        yield self.streams[-1]

    async def check(self) -> str:
        """Say that it works."""
        return "works"


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()


@dataclass
class World:
    """Two engines as one, and what is counted."""

    first: Engine = field(default_factory=Engine)
    second: Engine = field(default_factory=Engine)
    metrics: Metrics = field(default_factory=Metrics)

    def both(self) -> Failover:
        """Return the two as one."""
        return Failover({"first": self.first, "second": self.second}, self.metrics)

    def alone(self) -> Failover:
        """Return the first one alone."""
        return Failover({"first": self.first}, self.metrics)

    def value(self, name: str, **labels: str) -> float | None:
        """Return a metric."""
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def world() -> World:
    """Give two engines that work."""
    return World()


async def visit(engine: Failover, *, then: EngineError | None = None) -> None:
    """Hold a stream that gives a word and ends, or fails."""
    async with engine.open(language="en") as stream:
        inner: ScriptedStream = stream._stream  # type: ignore[attr-defined]
        inner.say(Word("word"))
        if then is not None:
            inner.fail(then)
        await stream.finish()
        async for _ in stream.events():
            pass


async def fail(engine: Failover, error: EngineError) -> None:
    """Hold a stream that gives no word and fails, as a task of it would."""
    with pytest.raises(ExceptionGroup):
        async with engine.open(language="en"):
            raise ExceptionGroup("a task failed", [error])


async def test_the_first_is_preferred(world: World) -> None:
    """As long as it works, nobody else is asked. Spec: engines/Failover."""
    async with world.both() as engine:
        for _ in range(3):
            await visit(engine)

        assert engine.troubles() == []
    assert (len(world.first.streams), len(world.second.opened)) == (3, 0)
    assert (world.first.running, world.second.running) == (0, 0)


@pytest.mark.parametrize("fault", [DEAD, REFUSED, EngineBusyError("all are taken")])
async def test_the_next_one_is_taken_at_once(world: World, fault: EngineError) -> None:
    """An engine that opens no stream costs the speaker no time, and the next speaker nothing."""
    world.first.fault = fault
    async with world.both() as engine:
        await visit(engine)
        await visit(engine)

        assert now() == world.first.opened[0]
        assert engine.troubles() == [
            f"engine first: {fault}, since 0 s",
            "using engine second",
        ]
    assert (len(world.first.opened), len(world.second.streams)) == (1, 2)
    is_busy = isinstance(fault, EngineBusyError)
    assert world.value("transcription_engine_up", engine="first") == is_busy
    assert world.value("transcription_engine_up", engine="second") == 1


async def test_a_slow_one_is_not_waited_for_while_there_is_another(world: World) -> None:
    """A cold start of two minutes does not keep captions back; warm, it is preferred again."""
    world.first.opens_in_s = 115.0
    async with world.both() as engine:
        began = now()
        await visit(engine)
        assert now() - began == pytest.approx(FAILOVER_AFTER_S)
        assert len(world.second.streams) == 1

        world.first.opens_in_s = 0.1
        await asyncio.sleep(MOST_S)
        await visit(engine)
    assert len(world.first.streams) == 1


async def test_a_slow_one_alone_is_waited_for(world: World) -> None:
    """Its cold start is nobody's fault: the stream comes, and there is no trouble."""
    world.first.opens_in_s = 119.0
    async with world.alone() as engine:
        await visit(engine)

        assert engine.troubles() == []
    assert len(world.first.streams) == 1


async def test_one_at_a_time_tries_a_dead_engine(world: World) -> None:
    """Twenty speakers wait, one of them knocks; when somebody opens, all are in at once."""
    world.first.fault = DEAD
    world.first.opens_in_s = 0.5
    async with world.alone() as engine, asyncio.TaskGroup() as group:
        await asyncio.gather(visit_fails(engine), visit_fails(engine))
        knocks = len(world.first.opened)
        speakers = [group.create_task(visit(engine)) for _ in range(20)]
        world.first.most_opening = 0
        await asyncio.sleep(40)
        assert world.first.most_opening == 1
        assert len(world.first.opened) - knocks <= 7

        world.first.fault = None
        back = now()
        await asyncio.wait(speakers)
        assert now() - back <= LAST_RESORT_S + 1.0
    assert len(world.first.streams) == 20


async def visit_fails(engine: Failover) -> None:
    """Give up on a stream that does not come."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.7), engine.open(language="en"):
            pytest.fail("a dead engine opened a stream")


async def test_waiting_has_an_end(world: World) -> None:
    """After the time of a cold start, the caller learns when to come again, and why not now."""
    world.first.fault = DEAD
    async with world.alone() as engine:
        began = now()
        with pytest.raises(EngineUnavailableError, match="first: nobody answers") as caught:
            await visit(engine)

        assert 120 - LAST_RESORT_S <= now() - began <= 120
        assert 0 < caught.value.retry_in_s <= LAST_RESORT_S
        assert engine.troubles()[1:] == ["no engine can be had"]


async def test_a_refusal_is_told_at_once_and_tried_rarely(world: World) -> None:
    """A wrong key is not cured by knocking: the reason is shown, and a minute passes."""
    world.first.fault = REFUSED
    async with world.alone() as engine:
        for _ in range(3):
            with pytest.raises(EngineUnavailableError, match="the key is wrong") as caught:
                await visit(engine)
            assert caught.value.retry_in_s == MOST_S
        assert len(world.first.opened) == 1

        world.first.fault = None
        await asyncio.sleep(MOST_S)
        await visit(engine)


async def test_two_deaf_streams_are_enough(world: World) -> None:
    """Reopen, then fail over; the engine is believed again after a word, not before."""
    async with world.both() as engine:
        await fail(engine, EngineStalledError("no words"))
        await fail(engine, EngineStalledError("no words"))
        assert len(world.first.streams) == 2

        await visit(engine)
        assert len(world.second.streams) == 1

        await asyncio.sleep(2)
        async with engine.open(language="en"):
            await visit(engine)
            assert (len(world.first.streams), len(world.second.streams)) == (3, 2)
        assert engine.troubles()

        await visit(engine)
        await visit(engine)
        assert (len(world.first.streams), len(world.second.streams)) == (5, 2)
        assert engine.troubles() == []
    assert world.value("transcription_reconnects_total", component="engine", reason="stalled") == 2


async def test_who_only_types_takes_the_engine_from_nobody(world: World) -> None:
    """Sound without words is no fault of an engine that gives somebody else words meanwhile."""
    async with world.both() as engine:
        async with engine.open(language="en") as stream:
            events = stream.events()
            for _ in range(4):
                stream._stream.say(Word("word"))  # type: ignore[attr-defined]
                await anext(events)
                await asyncio.sleep(PATIENCE_S - 1)
                await fail(engine, EngineStalledError("no words"))
        assert engine.troubles() == []
        assert world.second.streams == []

        for _ in range(2):
            await asyncio.sleep(PATIENCE_S)
            await fail(engine, EngineStalledError("no words"))
        assert engine.troubles()
    assert world.value("transcription_reconnects_total", component="engine", reason="stalled") == 6


async def test_a_stream_that_ends_now_and_then_is_no_dead_engine(world: World) -> None:
    """An endpoint that closes each stream after its words keeps its speakers."""
    async with world.both() as engine:
        for _ in range(5):
            with pytest.raises(EngineError):
                await visit(engine, then=EngineError("code 1000"))

        assert engine.troubles() == []
    assert (len(world.first.streams), len(world.second.streams)) == (5, 0)
    assert world.value("transcription_reconnects_total", component="engine", reason="failed") == 5


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5])
async def test_cancelling_who_tries_lets_the_next_one_try(world: World, turns: int) -> None:
    """Wherever the one that knocks is cancelled, the others do not wait for it for ever."""
    world.first.fault = DEAD
    async with world.alone() as engine:
        await visit_fails(engine)
        await asyncio.sleep(LAST_RESORT_S)
        world.first.fault = None
        world.first.opens_in_s = 5.0
        trying = asyncio.ensure_future(visit(engine))
        for _ in range(turns):
            await asyncio.sleep(0)
        trying.cancel()
        async with asyncio.timeout(11):
            await visit(engine)
        await asyncio.gather(trying, return_exceptions=True)


async def test_a_bug_of_the_caller_is_no_fault_of_the_engine(world: World) -> None:
    """What is not the engine's error goes through and is not held against it."""
    async with world.both() as engine:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                async with engine.open(language="en"):
                    raise ZeroDivisionError

        assert engine.troubles() == []


async def test_one_that_does_not_start_is_started_later(world: World) -> None:
    """The service runs with the other one meanwhile, and says so."""
    world.first.start_faults = [EngineError("no model", retryable=False)] * 2
    async with world.both() as engine:
        await visit(engine)
        assert engine.troubles()[0].startswith("engine first: no model, since ")
        assert world.value("transcription_engine_up", engine="first") == 0

        await asyncio.sleep(3.5)
        assert world.first.starts == 3
        assert engine.troubles() == []
        await visit(engine)
    assert (len(world.first.streams), len(world.second.streams)) == (1, 1)


async def test_where_none_starts_there_is_no_service(world: World) -> None:
    """The first one's reason is told, and nothing is left running."""
    world.first.start_faults = [EngineError("no model")]
    world.second.start_faults = [EngineError("no driver")]

    with pytest.raises(EngineError, match="no model"):
        async with world.both():
            pytest.fail("there is nothing to run with")


async def test_streams_go_where_the_language_is_understood(world: World) -> None:
    """A language of the second engine alone does not trouble the first one."""
    world.second.capabilities = Capabilities({"fr": "French"}, word_times=False, pauses=True)
    async with world.both() as engine:
        async with engine.open(language="fr"):
            pass
        with pytest.raises(EngineError, match="language") as caught:
            async with engine.open(language="tlh"):
                pytest.fail("nobody understands it")
    assert not caught.value.retryable
    assert (len(world.first.streams), len(world.second.streams)) == (0, 1)


async def test_an_engine_is_told_a_language_by_its_own_code(world: World) -> None:
    """One that knows Portuguese understands Brazil's, unless another is asked first."""
    world.first.capabilities = Capabilities({"pt": "Portuguese"}, word_times=True, pauses=True)
    world.second.capabilities = Capabilities({"pt-BR": "Brazilian"}, word_times=True, pauses=True)
    async with world.both() as engine:
        for language in ("pt-BR", "PT_br", "pt-PT"):
            async with engine.open(language=language):  # the engines check what they are told
                pass
        world.first.fault = DEAD
        async with engine.open(language="pt-BR"):
            pass

    assert (len(world.first.streams), len(world.second.streams)) == (3, 1)


async def test_where_the_language_is_heard_only_who_hears_it_is_asked(world: World) -> None:
    """Another engine would have to be told one."""
    hearing = replace(
        ENGLISH, languages={"en": "English", "auto": "Automatic"}, hears_language=True
    )
    world.second.capabilities = hearing
    async with world.both() as engine, engine.open(language="auto") as stream:
        assert isinstance(stream, Placed)
        assert stream.capabilities == hearing
        assert stream.capabilities.suits("auto", "en")
        assert not engine.capabilities.hears_language

    assert (len(world.first.streams), len(world.second.streams)) == (0, 1)


async def test_a_stream_knows_whether_its_engine_understands_anybody(world: World) -> None:
    """Words to others show that it is not the engine that is deaf."""
    async with (
        world.alone() as engine,
        engine.open(language="en") as one,
        engine.open(language="en") as other,
    ):
        assert isinstance(one, Placed)
        understanding = [one.is_understanding]
        world.first.streams[1].say(Word("yes"))
        await anext(other.events())
        understanding.append(one.is_understanding)
        await asyncio.sleep(PATIENCE_S)
        understanding.append(one.is_understanding)

    assert understanding == [False, True, False]


@pytest.mark.parametrize(
    ("opened", "wanted", "hears", "expected"),
    [
        ("en", "en", False, True),
        ("en", "en-GB", False, True),
        ("en", "fr", False, False),
        ("en", "fr", True, True),
        ("auto", "fr", True, True),
        ("en", "de", True, False),
    ],
)
def test_whether_another_stream_is_needed(
    opened: str, wanted: str, *, hears: bool, expected: bool
) -> None:
    """Not where the engine makes no difference, or hears it all by itself."""
    languages = {"en": "English", "fr": "French", "auto": "Automatic"}

    assert replace(ENGLISH, languages=languages, hears_language=hears).suits(opened, wanted) is (
        expected
    )


async def test_capabilities_promise_what_each_one_keeps(world: World) -> None:
    """All languages together; times and pauses only where all give them."""
    world.first.capabilities = Capabilities(
        {"en": "English", "fr": "French"},
        word_times=True,
        pauses=False,
        cold_start_s=120,
        session_s=1800,
    )
    world.second.capabilities = Capabilities({"de": "German"}, word_times=True, pauses=True)

    assert world.both().capabilities == Capabilities(
        {"en": "English", "fr": "French", "de": "German"},
        word_times=True,
        pauses=False,
        cold_start_s=120,
        session_s=1800,
    )


async def test_an_engine_may_know_its_own_troubles(world: World) -> None:
    """A part of an engine that is down is told, though streams still open."""

    class Limping(Engine):
        def troubles(self) -> list[str]:
            return ["1 of 2 workers is down"]

    world.second = Limping()
    async with world.both() as engine:
        assert engine.troubles() == ["engine second: 1 of 2 workers is down"]


async def test_streams_are_counted_where_they_are(world: World) -> None:
    """The metrics page tells which engine works, and forgets none that ended."""
    name = "transcription_engine_streams_active"
    world.first.fault = DEAD
    async with world.both() as engine:
        async with engine.open(language="en"):
            assert world.value(name, engine="first") == 0
            assert world.value(name, engine="second") == 1
        await fail(engine, DEAD)
        assert world.value(name, engine="second") == 0
