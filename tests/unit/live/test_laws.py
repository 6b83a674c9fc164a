"""Laws of live sessions: they hold for whatever clients, networks and readers do."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.feeds.events import Final, Gap, Snapshot
from livebot.live.options import LiveOptions
from livebot.live.session import LiveSession
from tests.support.live_sessions import Reader, live
from tests.support.tone_engine import ToneEngine
from tests.support.tone_model import said, speech
from tests.support.virtual_time import VirtualTimeLoop

T = TypeVar("T")
OPTIONS = LiveOptions(encoding="pcm_s16le", rate_hz=24_000)
FEW = settings(max_examples=8)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on a loop where waiting takes no time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def sound(words: int) -> bytes:
    """Return audio in which so many words are heard."""
    audio = np.concatenate([speech(words), np.zeros(24_000, np.float32)])
    return (audio * 32767).astype("<i2").tobytes()


async def send(session: LiveSession, audio: bytes, sizes: list[int]) -> None:
    """Send audio in messages of these sizes, at the pace of speech."""
    at = number = 0
    while at < len(audio):
        size = sizes[number % len(sizes)]
        await session.send(audio[at : at + size])
        await asyncio.sleep(size / 48_000)
        at, number = at + size, number + 1


@FEW
@given(sizes=st.lists(st.integers(333, 30_000), min_size=1, max_size=8))
def test_any_cutting_into_messages_gives_the_same_words(sizes: list[int]) -> None:
    """Nothing depends on where messages end. Spec: live-sessions/Audio."""

    async def told() -> list[tuple[str, float, float]]:
        async with live(heard_by=ToneEngine()) as it:
            session = await it.open("me", OPTIONS)
            await send(session, sound(7), sizes)
            await session.finish()
            reader = Reader(session.feed)
            await reader.run()
            return [
                (word.text, word.start or 0.0, word.end or 0.0)
                for final in reader.of(Final)
                for word in final.words
            ]

    found = run(told())
    assert [text for text, _, _ in found] == said(7)
    starts = [start for _, start, _ in found]
    assert np.allclose(starts, [0.16 + 0.48 * number for number in range(7)], atol=0.011)


@FEW
@given(
    cuts=st.lists(st.tuples(st.floats(0.1, 2.5), st.floats(0, 5)), max_size=4),
    is_told=st.booleans(),
)
def test_connections_that_break_cost_no_word_that_was_sent(
    cuts: list[tuple[float, float]], is_told: bool
) -> None:
    """A client that keeps its audio and comes back has each word once.

    One that sends on without a word has the others as a gap. Spec: live-sessions/Resume.
    """
    audio = sound(12)

    async def told() -> tuple[list[str], list[Gap]]:
        async with live(heard_by=ToneEngine()) as it:
            session = await it.open("me", OPTIONS)
            reader = Reader(session.feed)
            reading = asyncio.create_task(reader.run())
            at = 0
            for speaks_s, away_s in cuts:
                end = min(len(audio), at + round(speaks_s * 24_000) * 2)
                await send(session, audio[at:end], [4_800])
                session.detach()
                await asyncio.sleep(away_s)
                session = await it.sessions.resume("me", session.id)
                at = end if not is_told else round(session.position * 24_000) * 2
                if is_told:
                    session.begin_at(session.position)
            await send(session, audio[at:], [4_800])
            await session.finish()
            await reading
            return [w.text for final in reader.of(Final) for w in final.words], reader.of(Gap)

    words, gaps = run(told())
    if is_told:
        assert gaps == []
        assert words == said(12)
    else:
        # Words at a cut may be heard as two; none but those is missing.
        assert len(gaps) >= sum(away_s > 1.2 for _, away_s in cuts)
        assert len(words) >= 12


@FEW
@given(
    pauses=st.lists(st.floats(0, 8), min_size=1, max_size=6),
    count=st.integers(1, 30),
)
def test_numbers_have_no_gap_whatever_a_reader_does(pauses: list[float], count: int) -> None:
    """Who reads slowly has all, or a snapshot in the place of what is gone; nobody waits for it.

    Spec: live-sessions/Slow readers.
    """

    async def told() -> float:
        async with live(heard_by=ToneEngine()) as it:
            session = await it.open("me", OPTIONS)
            loop = asyncio.get_running_loop()

            async def read() -> list[str]:
                after, number, finals = 0, 0, dict[str, str]()
                while got := await session.feed.read(after):
                    if isinstance(got, Snapshot):
                        finals |= {final.utterance: final.text for final in got.finals}
                        after = got.seq
                    else:
                        assert [each.seq for each in got] == list(
                            range(after + 1, after + 1 + len(got))
                        )
                        after = got[-1].seq
                        events = [each.event for each in got]
                        finals |= {e.utterance: e.text for e in events if isinstance(e, Final)}
                    await asyncio.sleep(pauses[number % len(pauses)])
                    number += 1
                return " ".join(finals.values()).split()

            reading = asyncio.create_task(read())
            begun = loop.time()
            await send(session, sound(count), [4_800])
            await session.finish()
            took = loop.time() - begun
            assert await reading == said(count)
            return took - len(sound(count)) / 48_000

    assert run(told()) < 3
