"""The same words through other networks: TURN servers, and Janus with another certificate."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.world.bot import Bot, bot
from tests.system.world.call import captioned_call, check_words, note_latencies
from tests.system.world.figures import Figures
from tests.system.world.hpb import Hpb, hpb
from tests.system.world.recording import TWO_SENTENCES, recording
from tests.system.world.speaker import speaking
from tests.system.world.turn import Transport, Turn

_LEAST_BYTES_PER_S = 4_000
"""Opus as aiortc sends it has three times as many while somebody speaks."""

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]


@pytest.fixture(scope="module")
def relayed_bot(folder: Path, the_hpb: Hpb) -> Iterator[Bot]:
    """Run a bot whose media may go through TURN servers only."""
    with bot(folder / "relayed-bot", the_hpb, {"LT_ICE_POLICY": "relay"}) as found:
        yield found


@pytest.fixture(scope="module")
def rsa_hpb(folder: Path) -> Iterator[Hpb]:
    """Run a second backend, whose Janus presents an RSA certificate."""
    with hpb(folder / "rsa-hpb", rsa=True) as found:
        yield found


@pytest.fixture(scope="module")
def rsa_bot(folder: Path, rsa_hpb: Hpb) -> Iterator[Bot]:
    """Run a bot for the second backend."""
    with bot(folder / "rsa-bot", rsa_hpb) as found:
        yield found


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_words_come_through_a_relay(
    *,
    the_hpb: Hpb,
    the_turn: Turn,
    relayed_bot: Bot,
    room: str,
    figures: Figures,
    transport: Transport,
) -> None:
    """All media of speaker and bot goes through TURN, and the words are the same."""
    relay = the_turn.ice_server(transport)
    what, heard = recording(*TWO_SENTENCES), await relayed_bot.heard()
    connections, gone = the_turn.connections(), len(await the_turn.carried(0))
    async with (
        captioned_call(the_hpb, relayed_bot, room, figures, [relay]) as reader,
        speaking(the_hpb, room, "alice", relay=relay) as alice,
    ):
        await relayed_bot.until_heard(heard + 1)
        assert the_turn.connections() - connections == (2 if transport == "tcp" else 0)

        said = await alice.say(what)

        await check_words(reader, alice.session, [what], figures, f"TURN over {transport}")
        note_latencies(reader, alice.session, said, figures)
    # Speaker and bot; who has merely tried the relay lets it carry some hundred bytes.
    both = (await the_turn.carried(gone + 2))[gone:]
    assert min(both) > what.seconds * _LEAST_BYTES_PER_S


async def test_words_come_from_janus_with_an_rsa_certificate(
    rsa_hpb: Hpb, rsa_bot: Bot, room: str, figures: Figures
) -> None:
    """Janus with an RSA certificate is understood, although aiortc offers ECDSA alone."""
    what, heard = recording(*TWO_SENTENCES), await rsa_bot.heard()
    async with (
        captioned_call(rsa_hpb, rsa_bot, room, figures) as reader,
        speaking(rsa_hpb, room, "alice") as alice,
    ):
        await rsa_bot.until_heard(heard + 1)

        said = await alice.say(what)

        await check_words(reader, alice.session, [what], figures, "Janus with RSA")
        note_latencies(reader, alice.session, said, figures)
