"""The world itself, without a bot: should these fail, the others say nothing about the bot."""

import errno
import socket
from pathlib import Path

import pytest

from tests.system.world import packages
from tests.system.world.browser import browser
from tests.system.world.hpb import Hpb
from tests.system.world.member import LISTENING, join
from tests.system.world.recording import recording
from tests.system.world.signaling import mended
from tests.system.world.speaker import speaking

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


def test_no_packet_can_leave() -> None:
    """There is no way out of the network of these tests."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outwards,
        pytest.raises(OSError, match=r".") as refused,
    ):
        outwards.connect(("192.0.2.1", 9))

    assert refused.value.errno == errno.ENETUNREACH


def test_missing_package_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the servers fails the tests and says how to get them."""
    monkeypatch.setitem(packages.PROGRAMS, "no-such-program", "no-such-package")

    with pytest.raises(packages.MissingError, match=r"apt-get install .* no-such-package"):
        packages.require()


def test_server_is_mended_in_two_places(tmp_path: Path) -> None:
    """The copy differs from Debian's signaling server where it must, and nowhere else."""
    theirs = Path("/usr/bin/nextcloud-spreed-signaling-server").read_bytes()

    ours = mended(tmp_path).read_bytes()

    # Four bytes, of which one stays, and one.
    assert sum(a != b for a, b in zip(ours, theirs, strict=True)) == 4


async def test_people_see_each_other_and_speak(the_hpb: Hpb, room: str, tmp_path: Path) -> None:
    """A speaker reaches Janus and speaks in real time; a reader sees people come and go."""
    async with join(the_hpb, room, "reader") as reader:
        await reader.set_in_call(LISTENING)
        async with speaking(the_hpb, room, "alice") as alice:
            said = await alice.say(recording("ls_7902"))
            assert reader.session_of("alice") == alice.session
        with browser(tmp_path / "chromium", the_hpb, room, "carol", said.what):
            await reader.until(lambda: reader.session_of("carol") is not None, "Chromium", 15)

        assert said.when(said.what.seconds) - said.times[0] == pytest.approx(
            said.what.seconds, abs=0.1
        )
        await reader.until(lambda: reader.session_of("alice") is None, "alice to go", 5)


async def test_a_session_gets_what_is_sent_to_it_in_another_room(the_hpb: Hpb, room: str) -> None:
    """The signaling server does not ask who is where, so the bot must."""
    async with join(the_hpb, room, "") as bot, join(the_hpb, room + "0", "outsider") as outsider:
        data = {"type": "transcript", "speakerSessionId": bot.session, "message": "hello"}
        await bot.send(outsider.session, data | {"langId": "en", "final": True})

        await outsider.until(lambda: bool(outsider.transcripts), "what was sent", 5)
    assert [message["message"]["data"]["message"] for message in outsider.log.messages] == [
        "hello"
    ]


async def test_bots_are_told_what_talk_calls_people(the_hpb: Hpb, room: str) -> None:
    """Whether they come first or last, and whether anybody is in the call."""
    async with (
        join(the_hpb, room, "early") as early,
        join(the_hpb, room, "") as bot,
        join(the_hpb, room, "late") as late,
    ):
        people = {who.session: who.talk_session for who in (early, late)}
        await bot.until(lambda: people.items() <= bot.log.talk_sessions.items(), "both", 5)
