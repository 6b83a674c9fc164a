"""Captions on their way to the readers."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions.caption import Caption
from livebot.captions.gap import Cause, Gap
from livebot.ids import SessionId
from livebot.rooms.outbox import Outbox, Outgoing

ANNA, BEN = SessionId("anna"), SessionId("ben")


def final(text: str) -> Caption:
    """Return a caption that never changes."""
    return Caption(text, final=True)


def partial(text: str) -> Caption:
    """Return a caption that the next one replaces."""
    return Caption(text, final=False)


def text_of(item: Outgoing) -> str:
    """Return the text of an item that is a caption."""
    assert isinstance(item.caption, Caption)
    return item.caption.text


def make(limit: int = 1000) -> tuple[Outbox, list[str]]:
    """Return an outbox and the list of the texts it drops."""
    dropped: list[str] = []
    return Outbox(lambda item: dropped.append(text_of(item)), limit=limit), dropped


def put(outbox: Outbox, session: SessionId, *captions: Caption) -> None:
    """Put captions of one speaker."""
    for caption in captions:
        outbox.put(Outgoing(session, caption, "en"))


async def take(outbox: Outbox) -> Outgoing:
    """Take one item that must be there."""
    item = await outbox.get()
    assert item is not None
    return item


async def rest(outbox: Outbox) -> list[str]:
    """Close and return the texts that were left."""
    outbox.close()
    texts = []
    while (item := await outbox.get()) is not None:
        texts.append(text_of(item))
    return texts


async def test_an_item_says_whose_it_is() -> None:
    """Speaker, caption and language come out as they went in."""
    outbox, _ = make()
    outbox.put(Outgoing(ANNA, final("hallo"), "de"))

    assert await outbox.get() == Outgoing(ANNA, final("hallo"), "de")


async def test_only_the_newest_partial_waits() -> None:
    """It replaces the one still waiting, of its own speaker only, and a final replaces both."""
    outbox, _ = make()
    put(outbox, ANNA, partial("a"), partial("a b"))
    put(outbox, BEN, partial("x"))
    put(outbox, ANNA, final("a b."), partial("c"), partial("c d"))

    assert len(outbox) == 3
    assert await rest(outbox) == ["a b.", "x", "c d"]


@given(st.lists(st.tuples(st.sampled_from([ANNA, BEN]), st.booleans(), st.booleans())))
def test_order_holds_and_finals_stay(steps: list[tuple[SessionId, bool, bool]]) -> None:
    """However it is put and taken, readers get every final of a speaker in order.

    A partial comes after the finals before it, before the one after it, and the last is there.
    """

    async def scenario() -> list[Outgoing]:
        outbox, dropped = make()
        out = []
        for number, (session, is_final, is_taken) in enumerate(steps):
            put(outbox, session, Caption(str(number), final=is_final))
            if is_taken:
                out.append(await take(outbox))
        outbox.close()
        while (left := await outbox.get()) is not None:
            out.append(left)
        assert dropped == []
        return out

    out = asyncio.run(scenario())

    for speaker in (ANNA, BEN):
        numbers = [int(text_of(item)) for item in out if item.session == speaker]
        put_in = [n for n, (session, _, _) in enumerate(steps) if session == speaker]
        assert numbers == sorted(set(numbers))
        assert set(numbers) >= {n for n in put_in if steps[n][1]}
        assert numbers[-1:] == put_in[-1:]


async def test_the_oldest_go_when_the_writer_is_stuck() -> None:
    """The bound holds, and each loss is reported."""
    outbox, dropped = make(limit=2)
    put(outbox, ANNA, final("1"), final("2"), final("3"), final("4"))

    assert len(outbox) == 2
    assert dropped == ["1", "2"]
    assert await rest(outbox) == ["3", "4"]


async def test_a_dropped_partial_is_forgotten() -> None:
    """The next partial of that speaker is a new one."""
    outbox, dropped = make(limit=2)
    put(outbox, ANNA, partial("1"))
    put(outbox, BEN, final("2"), final("3"))
    put(outbox, ANNA, partial("4"))

    assert dropped == ["1", "2"]
    assert await rest(outbox) == ["3", "4"]


async def test_get_waits_for_a_caption() -> None:
    """Whoever waits is woken by the next caption, each time anew."""
    outbox, _ = make()
    for text in ("1", "2"):
        async with asyncio.TaskGroup() as group:
            getting = group.create_task(take(outbox))
            await asyncio.sleep(0)
            assert not getting.done()
            put(outbox, ANNA, final(text))

        assert getting.result() == Outgoing(ANNA, final(text), "en")


async def test_cancelling_get_loses_nothing() -> None:
    """Not even when a caption came just before."""
    outbox, _ = make()
    getting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)

    put(outbox, ANNA, final("1"))
    getting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await getting

    assert await rest(outbox) == ["1"]


async def test_close_ends_a_waiting_get() -> None:
    """Nobody waits for a closed outbox; what comes after is ignored."""
    outbox, _ = make()
    async with asyncio.TaskGroup() as group:
        getting = group.create_task(outbox.get())
        await asyncio.sleep(0)
        outbox.close()
        outbox.close()

    put(outbox, ANNA, final("1"))
    assert getting.result() is None
    assert len(outbox) == 0


async def test_what_is_put_back_comes_first() -> None:
    """In its order, before what waits; closed or not."""
    outbox, _ = make()
    put(outbox, ANNA, final("1"), final("2"), final("3"))
    taken = [await take(outbox), await take(outbox)]
    outbox.close()

    outbox.put_back(taken)

    assert await rest(outbox) == ["1", "2", "3"]


async def test_a_partial_put_back_gives_way_to_what_is_newer() -> None:
    """Whether that is put back with it, waits already, or comes later."""
    outbox, _ = make()
    put(outbox, ANNA, partial("a"))
    put(outbox, BEN, partial("x"))
    old_anna, old_ben = await take(outbox), await take(outbox)
    put(outbox, ANNA, final("a b."))
    newer_ben = Outgoing(BEN, partial("x y"), "en")

    outbox.put_back([old_anna, old_ben, newer_ben])
    put(outbox, BEN, partial("x y z"))

    assert await rest(outbox) == ["x y z", "a b."]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "take", "confirm", "lose"]),
        st.sampled_from([ANNA, BEN]),
        st.booleans(),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_comes_back_order_holds_and_finals_stay(
    steps: list[tuple[str, SessionId, bool]],
) -> None:
    """However often what was taken is lost and put back, and whatever comes meanwhile.

    A speaker's finals arrive once each and in order, and the last of what was said is there.
    """

    async def scenario() -> list[Outgoing]:
        outbox, dropped = make()
        flying: list[Outgoing] = []
        arrived: list[Outgoing] = []
        for number, (step, session, is_final) in enumerate(steps):
            if step == "put":
                put(outbox, session, Caption(str(number), final=is_final))
            elif step == "take" and len(outbox):
                flying.append(await take(outbox))
            elif step == "confirm" and flying:
                arrived.append(flying.pop(0))
            elif step == "lose":
                outbox.put_back(flying)
                flying.clear()
        outbox.put_back(flying)
        outbox.close()
        while (left := await outbox.get()) is not None:
            arrived.append(left)
        assert dropped == []
        return arrived

    arrived = asyncio.run(scenario())

    for speaker in (ANNA, BEN):
        numbers = [int(text_of(item)) for item in arrived if item.session == speaker]
        put_in = [n for n, (step, who, _) in enumerate(steps) if (step, who) == ("put", speaker)]
        assert numbers == sorted(set(numbers))
        assert set(numbers) >= {n for n in put_in if steps[n][2]}
        assert numbers[-1:] == put_in[-1:]


async def test_putting_back_keeps_the_bound() -> None:
    """The oldest go, and are reported."""
    outbox, dropped = make(limit=2)
    put(outbox, ANNA, final("1"), final("2"))
    taken = [await take(outbox), await take(outbox)]
    put(outbox, ANNA, final("3"))

    outbox.put_back(taken)

    assert dropped == ["1"]
    assert await rest(outbox) == ["2", "3"]


async def test_a_gap_takes_the_place_of_its_older_self_only() -> None:
    """It never replaces words, and words never replace it."""
    outbox, _ = make()
    going, over = Gap(Cause.MEDIA, 1.0, None, 4.0), Gap(Cause.MEDIA, 1.0, 9.0, 8.0)
    other = Gap(Cause.ENGINE, 1.0, None, 4.0)
    outbox.put(Outgoing(ANNA, partial("a"), "en"))
    outbox.put(Outgoing(ANNA, going, "en"))
    outbox.put(Outgoing(BEN, going, "en"))
    outbox.put(Outgoing(ANNA, other, "en"))
    outbox.put(Outgoing(ANNA, final("a b."), "en"))
    outbox.put(Outgoing(ANNA, over, "en"))

    taken = [await take(outbox) for _ in range(4)]

    assert [(item.session, item.caption) for item in taken] == [
        (ANNA, final("a b.")),
        (ANNA, over),
        (BEN, going),
        (ANNA, other),
    ]


async def test_what_was_missed_goes_first_and_is_dropped_first() -> None:
    """In its order, whatever else is put back; it never costs what is said now."""
    outbox, dropped = make(limit=5)
    put(outbox, ANNA, final("3"), final("4"))
    missed = [Outgoing(ANNA, final(text), "en", history=True) for text in ("a", "b", "c")]
    outbox.put_back(missed)
    outbox.put_back([Outgoing(ANNA, final("2"), "en")])

    assert dropped == ["a"]
    assert len(outbox) == 5
    outbox.put_back([await take(outbox)])
    assert await rest(outbox) == ["b", "c", "2", "3", "4"]


async def test_who_waits_is_woken_by_what_was_missed() -> None:
    """Nothing else need be said for it to go out."""
    outbox, _ = make()
    waiting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    outbox.put_back([Outgoing(ANNA, final("a"), "en", history=True)])

    async with asyncio.timeout(1):
        item = await waiting
    assert item is not None
    assert text_of(item) == "a"
