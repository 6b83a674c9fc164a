"""Tests of `livebot.live`: who may have a session, for how long, and who comes back."""

import asyncio

import pytest

from livebot.errors import BusyError, NotFoundError, QuotaError, RequestError
from livebot.feeds.events import Final, Gap
from livebot.live.clients import End
from livebot.live.options import LiveOptions
from livebot.live.presence import FIRST_AUDIO_S, LIFE_S
from tests.support.live_sessions import Reader, live, quiet, speak, tone
from tests.support.scripted_engine import ScriptedEngine, words

pytestmark = pytest.mark.virtual_time


async def test_no_more_than_the_limit() -> None:
    """One more is refused, and welcome when one has ended. Spec: live-sessions/Limits."""
    async with live(max_live=2) as it:
        first, _ = await it.open(), await it.open("other")
        with pytest.raises(BusyError, match="2 live sessions"):
            await it.open()
        assert it.sample("transcription_live_refused_total", reason="full") == 1
        await first.finish()
        await it.open()


async def test_an_owner_has_its_share() -> None:
    """Others are not kept out by one who has all of its own. Spec: live-sessions/Limits."""
    async with live(key_live=1) as it:
        await it.open("one")
        with pytest.raises(QuotaError):
            await it.open("one")
        await it.open("other")


async def test_who_is_gone_makes_room() -> None:
    """A client that crashed and begins anew is not kept out by itself."""
    async with live(key_live=2, max_live=3) as it:
        old, new = await it.open(), await it.open()
        old.detach()
        await asyncio.sleep(1)
        new.detach()
        await it.open()

        assert old.is_over
        assert not new.is_over


async def test_sessions_that_are_ending_are_bounded_too() -> None:
    """Who opens and closes in a loop does not pile up last words."""
    async with live(max_live=2) as it:
        it.engine.on_open = lambda stream: setattr(stream, "never_ends", True)
        for _ in range(4):
            session = await it.open()
            await session.send(tone(1))
            await asyncio.sleep(1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await session.finish()
        with pytest.raises(BusyError):
            await it.open()


async def test_overload_and_stopping_open_nothing() -> None:
    """The reason is told. Spec: live-sessions/Limits."""
    reasons: list[str] = ["the event loop is late"]
    async with live(overload=lambda: tuple(reasons)) as it:
        with pytest.raises(BusyError, match="late"):
            await it.open()
        reasons.clear()
        await it.open()
        await it.sessions.drain(1)
        with pytest.raises(BusyError, match="stops"):
            await it.open()


@pytest.mark.parametrize(
    "options",
    [
        LiveOptions(encoding="mp3"),
        LiveOptions(language="xx"),
        LiveOptions(store=True),
    ],
)
async def test_what_cannot_be_had(options: LiveOptions) -> None:
    """It is said at once."""
    async with live() as it:
        with pytest.raises(RequestError):
            await it.open("me", options)


async def test_a_client_without_a_sign_of_life_is_gone() -> None:
    """It is told to go, and has a while to come back. Spec: live-sessions/Idle clients."""
    async with live(live_idle_s=60, live_resume_s=100) as it:
        session = await it.open()
        await session.send(tone(0.1))
        await asyncio.sleep(59)
        session.keepalive()
        await asyncio.sleep(59)
        assert it.sessions.count == 1
        async with asyncio.timeout(2):
            assert await session.ended() is End.IDLE
        await asyncio.sleep(99)
        assert it.sessions.count == 1
        await asyncio.sleep(2)
        assert it.sessions.count == 0
        with pytest.raises(NotFoundError):
            await it.sessions.resume("me", session.id)


async def test_a_client_without_audio_is_gone_sooner() -> None:
    """It has no microphone. Spec: live-sessions/Idle clients."""
    async with live(live_idle_s=600) as it:
        session = await it.open()
        async with asyncio.timeout(FIRST_AUDIO_S + 1):
            assert await session.ended() is End.IDLE


async def test_a_session_has_an_end() -> None:
    """After a day it is finished, whoever holds it. Spec: live-sessions/Limits."""
    async with live(live_idle_s=3600) as it:
        session = await it.open()
        for _ in range(50):
            session.keepalive()
            await asyncio.sleep(LIFE_S / 48)
        assert await session.ended() is End.TIME


async def test_a_client_comes_back() -> None:
    """It goes on where its audio ended, and has all events. Spec: live-sessions/Resume."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2)
        (await it.engine.stream()).say(*words("so far"))
        await asyncio.sleep(0.5)
        session.detach()
        await asyncio.sleep(3)

        again = await it.sessions.resume("me", session.id)
        assert again.position == pytest.approx(2, abs=0.001)
        again.begin_at(2.0)
        await speak(again, 2)
        it.engine.streams[-1].last_words = tuple(words("so good", 1.0))
        await again.finish()

        reader = Reader(again.feed)
        await reader.run()
        assert [final.text for final in reader.of(Final)] == ["so far", "so good"]
        assert reader.of(Gap) == []
        assert it.sample("transcription_live_resumed_total", place="memory") == 1


async def test_a_client_that_lost_audio_says_so() -> None:
    """What is left out is a gap. Spec: live-sessions/Gaps."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2)
        session.begin_at(7.5)
        await speak(session, 1)
        (await it.engine.stream(1)).last_words = tuple(words("later"))
        await session.finish()

        reader = Reader(session.feed)
        await reader.run()
        (gap,) = reader.of(Gap)
        assert (gap.cause, gap.start, gap.end) == ("client", 2.0, 7.5)
        assert reader.of(Final)[0].start == pytest.approx(7.5, abs=0.01)
        assert it.sample("transcription_gap_seconds_total", cause="client") == 5.5


async def test_a_client_that_says_nothing_of_what_it_lost() -> None:
    """The time line goes on by the clock, and the gap is told. Spec: live-sessions/Gaps."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2)
        await asyncio.sleep(2)
        session.detach()
        await asyncio.sleep(8)
        again = await it.sessions.resume("me", session.id)
        await again.send(tone(0.1))
        await again.finish()

        reader = Reader(again.feed)
        await reader.run()
        (gap,) = reader.of(Gap)
        assert gap.cause == "connection"
        assert gap.end - gap.start == pytest.approx(10.1, abs=0.2)


async def test_another_client_takes_over() -> None:
    """The first one is told to go, and can do nothing any more. Spec: live-sessions/Resume."""
    async with live() as it:
        first = await it.open()
        await first.send(tone(0.1))
        second = await it.sessions.resume("me", first.id)

        assert await first.ended() is End.REPLACED
        for doing in (first.send(tone(0.1)), first.finalize()):
            with pytest.raises(BusyError):
                await doing
        with pytest.raises(BusyError):
            first.begin_at(100)
        first.detach()
        first.keepalive()
        await second.send(tone(0.1))
        assert second.position == pytest.approx(0.2, abs=0.05)
        assert not second.is_over


async def test_a_session_is_its_owners() -> None:
    """Nobody else can tell that there is one. Spec: live-sessions/Resume."""
    async with live() as it:
        session = await it.open("me")
        with pytest.raises(NotFoundError):
            await it.sessions.resume("other", session.id)
        with pytest.raises(NotFoundError):
            await it.sessions.resume("me", "0" * 32)


@pytest.mark.parametrize("seconds", [1.5, -1, 1e9, float("nan"), float("inf")])
async def test_positions_that_make_no_sense(seconds: float) -> None:
    """Time does not go back, and no client leaves out days."""
    async with live() as it:
        session = await it.open()
        await session.send(tone(2))
        with pytest.raises(RequestError):
            session.begin_at(seconds)


async def test_words_come_though_the_client_sends_no_more() -> None:
    """Who lets go of the button says no pause. Spec: live-sessions/Finalize."""
    async with live() as it:
        session = await it.open()
        await speak(session, 2)
        (await it.engine.stream()).last_words = tuple(words("let go"))
        await asyncio.sleep(8)

        assert [final.text for final in session.feed.snapshot().finals] == ["let go"]


async def test_speech_much_faster_than_spoken_waits() -> None:
    """No audio is dropped for it. Spec: live-sessions/Pace."""
    async with live(backlog_s=30, engine=ScriptedEngine(watched=True)) as it:
        it.engine.on_open = lambda stream: stream.be_slow(0.2)
        session = await it.open()
        begun = asyncio.get_running_loop().time()
        for _ in range(60):
            await session.send(tone(1))
        took = asyncio.get_running_loop().time() - begun

        assert 48 <= took <= 52
        await session.finish()
        assert it.engine.streams[0].seconds == pytest.approx(60, abs=0.1)
        assert it.sample("transcription_audio_dropped_seconds_total") == 0


async def test_silence_much_faster_than_time_waits_too() -> None:
    """Hours of it in a message are hours of work. Spec: live-sessions/Pace."""
    async with live() as it:
        session = await it.open()
        begun = asyncio.get_running_loop().time()
        for _ in range(60):
            await session.send(quiet(20))
        assert asyncio.get_running_loop().time() - begun >= 50


async def test_an_engine_that_is_away_for_long_costs_a_gap() -> None:
    """Who speaks waits a while, then goes on; what no engine heard is told.

    Spec: live-sessions/Gaps.
    """
    async with live(backlog_s=60) as it:
        it.engine.on_open = lambda stream: stream.be_slow(1e6)
        session = await it.open()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.timeout(400):
            for _ in range(1500):
                await session.send(tone(0.1))
                await asyncio.sleep(0.1)
        assert loop.time() - begun < 200
        assert not session.is_over
        await session.finish()
        reader = Reader(session.feed)
        await reader.run()
        gaps = reader.of(Gap)
        assert {gap.cause for gap in gaps} == {"engine"}
        assert gaps[-1].end is not None


async def test_stopping_tells_the_last_words() -> None:
    """What was heard is told before clients are sent to the next process.

    Spec: live-sessions/Stopping.
    """
    async with live() as it:
        session = await it.open()
        await speak(session, 2)
        (await it.engine.stream()).last_words = tuple(words("last words"))
        await it.sessions.drain(5)

        reader = Reader(session.feed)
        await reader.run()
        assert [final.text for final in reader.of(Final)] == ["last words"]
        assert await session.ended() is End.RESTART
        assert it.sessions.count == 0


async def test_stopping_does_not_wait_for_a_dead_engine() -> None:
    """What is lost is told."""
    async with live() as it:
        it.engine.on_open = lambda stream: setattr(stream, "never_ends", True)
        session = await it.open()
        await speak(session, 4)
        begun = asyncio.get_running_loop().time()
        await it.sessions.drain(5)
        assert asyncio.get_running_loop().time() - begun < 6.5
        reader = Reader(session.feed)
        await reader.run()
        assert [gap.cause for gap in reader.of(Gap)][-1] == "shutdown"


async def test_no_interims_for_who_wants_none() -> None:
    """Numbers have no gap all the same."""
    async with live() as it:
        options = LiveOptions(encoding="pcm_s16le", rate_hz=16_000, interim=False)
        session = await it.open("me", options)
        await speak(session, 2)
        (await it.engine.stream()).say(*words("only this"))
        await asyncio.sleep(1)
        await session.finish()
        reader = Reader(session.feed)
        await reader.run()
        assert [type(each.event) for each in reader.events] == [Final]
