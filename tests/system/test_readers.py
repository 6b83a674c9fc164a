"""Who asks for captions in a call gets them, and nobody else does."""

import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from http import HTTPStatus

import pytest

from tests.system.world.bot import Bot
from tests.system.world.call import check_privacy, check_words, until_said
from tests.system.world.figures import Figures
from tests.system.world.hpb import Hpb
from tests.system.world.member import LISTENING, Member, Transcript, join
from tests.system.world.recording import recording
from tests.system.world.speaker import speaking

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

_SOON_S = 5.0

_GRACE_S = 1.0
"""The world's `LT_EMPTY_ROOM_SECONDS`."""


def final_words(captions: Iterable[Transcript]) -> list[str]:
    """Return the words that stay on the screen."""
    return " ".join(caption.text for caption in captions if caption.final).split()


async def test_each_reader_sees_exactly_what_it_asked_for(
    the_hpb: Hpb, the_bot: Bot, room: str, figures: Figures
) -> None:
    """One asks, later a second, which first gets what it missed, then the first stops.

    Nobody else gets a thing: not who is in the call and never asked, not who asked and is in
    another room, though the signaling server would deliver.

    Spec: caption-delivery/Readers.
    """
    one, two, three = recording("ls_61"), recording("libri_01_spk1089"), recording("ls_7902")
    heard = await the_bot.heard()
    async with (
        join(the_hpb, room, "first") as first,
        join(the_hpb, room, "second") as second,
        join(the_hpb, room, "third") as third,
        join(the_hpb, f"{room}0", "outsider") as outsider,
        speaking(the_hpb, room, "alice") as alice,
    ):
        for member in (second, third, outsider):
            await member.set_in_call(LISTENING)
        asked = [await the_bot.ask(room, who.talk_session) for who in (first, outsider)]
        await first.set_in_call(LISTENING)
        await the_bot.until_heard(heard + 1)

        await alice.say(one)
        await check_words(first, alice.session, [one], figures, "first reader")
        assert [len(who.log.messages) for who in (second, third, outsider)] == [0, 0, 0]

        asked.append(await the_bot.ask(room, second.talk_session, mode="replace"))
        await until_said(second)
        missed = list(second.transcripts)
        await alice.say(two)
        await until_said(first, second)
        asked.append(await the_bot.ask(room, first.talk_session, enable=False))
        until_now, known = list(first.transcripts), len(second.transcripts)
        await alice.say(three)
        await until_said(second)

        assert asked == 4 * [HTTPStatus.OK]
        _check_late_reader(first, second, missed)
        assert first.transcripts == until_now
        assert final_words(second.transcripts[known:]), "the second reader reads on"
        for who in (third, outsider, alice.member):
            assert not who.log.messages, f"{who.user} got what it did not ask for"
        assert await the_bot.stop(room) == HTTPStatus.OK
        captions = [t.text for t in (*first.transcripts, *second.transcripts)]
        people = [first, second, third, outsider, alice.member]
    ids = [each for who in people for each in (who.session, who.talk_session)]
    check_privacy(the_bot, the_hpb, room, [*ids, *captions])


def _check_late_reader(first: Member, second: Member, missed: list[Transcript]) -> None:
    """See to it that both read the same words, each in its own way."""
    assert missed
    assert all(caption.history and caption.final for caption in missed)
    assert not any(caption.history for caption in second.transcripts[len(missed) :])
    assert not any(caption.history for caption in first.transcripts)
    assert all(caption.final for caption in first.transcripts), "mode append"
    assert not all(caption.final for caption in second.transcripts), "mode replace"
    said = final_words(first.transcripts)
    assert final_words(second.transcripts)[: len(said)] == said


@pytest.mark.parametrize("how", ["asks for no more", "leaves the call", "leaves the room"])
async def test_the_last_reader_takes_the_bot_along(
    the_hpb: Hpb, the_bot: Bot, room: str, how: str
) -> None:
    """After the grace, though people who never asked stay. Spec: room-control/Leave by itself."""
    async with join(the_hpb, room, "other") as other, AsyncExitStack() as page:
        reader = await page.enter_async_context(join(the_hpb, room, "reader"))
        for member in (other, reader):
            await member.set_in_call(LISTENING)
        await the_bot.ask(room, reader.talk_session)
        await other.until(lambda: len(other.bots) == 1, "the bot", _SOON_S)

        if how == "asks for no more":
            await the_bot.ask(room, reader.talk_session, enable=False)
        elif how == "leaves the call":
            await reader.set_in_call(0)
        else:
            await page.aclose()
        since = time.monotonic()

        await other.until(lambda: not other.bots, "the bot to leave", _GRACE_S + _SOON_S)
        assert time.monotonic() - since > _GRACE_S / 2
    await the_bot.until_idle()
