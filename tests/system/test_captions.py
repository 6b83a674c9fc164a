"""People speak in a real call, and a reader gets their words."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.system.world.bot import Bot
from tests.system.world.browser import LEAD_S, browser
from tests.system.world.call import captioned_call, check_words, note_latencies
from tests.system.world.figures import Figures
from tests.system.world.hpb import Hpb
from tests.system.world.recording import TWO_SENTENCES, recording
from tests.system.world.speaker import speaking

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]


async def test_reader_gets_the_words_of_a_participant(
    the_hpb: Hpb, the_bot: Bot, room: str, figures: Figures
) -> None:
    """An aiortc participant speaks; captions carry their session and their words."""
    heard = await the_bot.heard()
    async with (
        captioned_call(the_hpb, the_bot, room, figures) as reader,
        speaking(the_hpb, room, "alice") as alice,
    ):
        await the_bot.until_heard(heard + 1)

        said = await alice.say(recording(*TWO_SENTENCES))

        await check_words(reader, alice.session, [said.what], figures, "aiortc")
        note_latencies(reader, alice.session, said, figures)
        assert {t.speaker for t in reader.transcripts} == {alice.session}


async def test_reader_gets_the_words_of_a_browser(
    the_hpb: Hpb, the_bot: Bot, room: str, figures: Figures, tmp_path: Path
) -> None:
    """Chromium speaks; captions carry its session and its words."""
    what = recording(*TWO_SENTENCES)
    async with captioned_call(the_hpb, the_bot, room, figures) as reader:
        with browser(tmp_path / "chromium", the_hpb, room, "carol", what):
            await reader.until(lambda: reader.session_of("carol") is not None, "Chromium", 15)
            carol = reader.session_of("carol")
            assert carol is not None

            # It speaks by itself, once.
            await asyncio.sleep(LEAD_S + what.seconds)

            await check_words(reader, carol, [what], figures, "Chromium")
            assert {t.speaker for t in reader.transcripts} == {carol}


async def test_two_at_once_each_get_their_own_captions(
    the_hpb: Hpb, the_bot: Bot, room: str, figures: Figures
) -> None:
    """Two people speak at the same time, and no word goes to the other."""
    says = [recording(*TWO_SENTENCES), recording("ls_7902", "libri_01_spk1089")]
    idle, heard = the_bot.load(), await the_bot.heard()
    async with (
        captioned_call(the_hpb, the_bot, room, figures) as reader,
        speaking(the_hpb, room, "alice") as alice,
        speaking(the_hpb, room, "bob") as bob,
    ):
        await the_bot.until_heard(heard + 2)
        before, since = the_bot.load(), time.monotonic()

        said = await asyncio.gather(alice.say(says[0]), bob.say(says[1]))

        figures.note_load(idle, before, the_bot.load(), time.monotonic() - since, 2)
        for who, what in zip((alice, bob), said, strict=True):
            where = f"two at once, {who.member.user}"
            await check_words(reader, who.session, [what.what], figures, where)
            note_latencies(reader, who.session, what, figures)
        assert {t.speaker for t in reader.transcripts} == {alice.session, bob.session}


async def test_silence_that_is_not_sent_costs_no_words(
    the_hpb: Hpb, the_bot: Bot, room: str, figures: Figures
) -> None:
    """Someone whose microphone sends nothing in silence is understood before and after it."""
    says = [recording("ls_7902"), recording("libri_01_spk1089")]
    heard = await the_bot.heard()
    async with (
        captioned_call(the_hpb, the_bot, room, figures) as reader,
        speaking(the_hpb, room, "alice", dtx=True) as alice,
    ):
        # Nobody is asked to understand what was said before they listened.
        await the_bot.until_heard(heard + 1)

        await alice.say(says[0])
        await asyncio.sleep(2)
        await alice.say(says[1])

        await check_words(reader, alice.session, says, figures, "DTX")


async def test_participant_is_heard_who_speaks_before_captions_are_on(
    the_hpb: Hpb, the_bot: Bot, room: str, figures: Figures
) -> None:
    """A call that has been going on for a while gets captions when somebody asks for them."""
    heard = await the_bot.heard()
    async with speaking(the_hpb, room, "alice") as alice:
        await alice.say(recording("ls_7902"))
        async with captioned_call(the_hpb, the_bot, room, figures) as reader:
            await the_bot.until_heard(heard + 1)

            said = await alice.say(recording(*TWO_SENTENCES))

            await check_words(reader, alice.session, [said.what], figures, "joined later")
            note_latencies(reader, alice.session, said, figures)
