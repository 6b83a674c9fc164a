"""livebot as Talk's app: installed, asked by Talk, disabled."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.system.world.app import App, app_bot, installed
from tests.system.world.bot import Bot
from tests.system.world.call import check_privacy, check_words, until_said
from tests.system.world.figures import Figures
from tests.system.world.hpb import Hpb
from tests.system.world.member import LISTENING, Member, join
from tests.system.world.recording import TWO_SENTENCES, recording
from tests.system.world.speaker import Speaker, speaking
from tests.system.world.turn import Turn

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

_SOON_S = 5.0
_TRANSLATED = "[de] "
"""What the double of Nextcloud writes before a text in place of a translation."""


@pytest.fixture(scope="module")
def the_app(folder: Path, the_hpb: Hpb) -> Iterator[Bot]:
    """Run livebot as an app which nobody has installed yet."""
    with app_bot(folder / "app", the_hpb) as found:
        yield found


async def test_app_from_installation_to_its_end(
    the_hpb: Hpb, the_turn: Turn, the_app: Bot, room: str, figures: Figures
) -> None:
    """Talk gets captions and translations for those it asks for, until the app is disabled.

    Where the signaling server is, and with which TURN server, the app is told by Talk.

    Spec: nextcloud/Life, nextcloud/Talk's settings, translation/Final captions.
    """
    async with (
        installed(the_app, the_hpb, the_turn) as app,
        join(the_hpb, room, "reader") as reader,
        join(the_hpb, room, "leserin") as leserin,
        speaking(the_hpb, room, "alice") as alice,
    ):
        assert app.app_api.events == ["init 200", "enabled"]
        assert app.nextcloud.progress[-1] == (100, "")
        for member in (reader, leserin):
            await member.set_in_call(LISTENING)
        stranger = await the_app.ask(room, reader.talk_session)
        await app.ask(room, reader.talk_session)
        await app.ask(room, leserin.talk_session, translationTargetLangId="de")
        await the_app.until_heard(1)

        await _check_captions(reader, leserin, alice, figures)

        await app.app_api.disable()
        await _check_silence(app, reader, leserin, alice)
        captions = [t.text for t in (*reader.transcripts, *leserin.transcripts)]
        people = [who.session for who in (reader, leserin, alice.member)]
    assert stranger == HTTPStatus.UNAUTHORIZED
    assert not app.nextcloud.tasks, "speech is left in Nextcloud"
    secrets = [app.nextcloud.secret, "turn-secret"]
    check_privacy(the_app, the_hpb, room, [*people, *captions, *secrets])


async def _check_captions(
    reader: Member, leserin: Member, alice: Speaker, figures: Figures
) -> None:
    """Let somebody speak to one who reads what is said and one who reads German."""
    what = recording(*TWO_SENTENCES)
    await alice.say(what)
    await check_words(reader, alice.session, [what], figures, "as an app")
    await until_said(leserin)
    translated = leserin.of(alice.session)
    assert all(t.final and t.language == "de" for t in translated)
    assert all(t.text.startswith(_TRANSLATED) for t in translated)
    words = " ".join(t.text.removeprefix(_TRANSLATED) for t in translated)
    assert words.split() == reader.text_of(alice.session).split()


async def _check_silence(app: App, reader: Member, leserin: Member, alice: Speaker) -> None:
    """Let somebody speak after the app was disabled."""
    assert app.app_api.events[-1] == "disabled"
    await reader.until(lambda: not reader.bots, "the bot to leave", _SOON_S)
    before = [len(who.log.messages) for who in (reader, leserin)]
    await alice.say(recording("ls_7902"))
    await until_said(reader, leserin)
    assert [len(who.log.messages) for who in (reader, leserin)] == before
