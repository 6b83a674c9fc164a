"""Recognition on another machine: `livebot serve` and `livebot stt-server` over a WebSocket."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.system.world.bot import Bot, bot
from tests.system.world.call import captioned_call, check_words
from tests.system.world.figures import Figures
from tests.system.world.hpb import Hpb
from tests.system.world.recording import TWO_SENTENCES, recording
from tests.system.world.speaker import speaking
from tests.system.world.stt_server import stt_server

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

_ON_THE_WAY_S = 0.1
"""How long a caption that was sent before travels to its reader, and more."""


@pytest.fixture(scope="module")
def endpoint(folder: Path) -> Iterator[str]:
    """Run the embedded engine behind the protocol of the Kyutai service; give its address."""
    with stt_server(folder / "stt-server") as found:
        yield found.url


@pytest.fixture(scope="module")
def kyutai_bot(folder: Path, the_hpb: Hpb, endpoint: str) -> Iterator[Bot]:
    """Run a bot that lets the endpoint recognise."""
    settings = {"LT_ENGINE": "kyutai", "STT_STREAM_URL": endpoint}
    with bot(folder / "kyutai-bot", the_hpb, settings) as found:
        yield found


async def test_remote_engine_gives_the_same_words(
    the_hpb: Hpb, kyutai_bot: Bot, room: str, figures: Figures
) -> None:
    """The words of a call are as good through the wire as with the engine in the bot."""
    what, heard = recording(*TWO_SENTENCES), await kyutai_bot.heard()
    async with (
        captioned_call(the_hpb, kyutai_bot, room, figures) as reader,
        speaking(the_hpb, room, "alice") as alice,
    ):
        await kyutai_bot.until_heard(heard + 1)

        await alice.say(what)

        await check_words(reader, alice.session, [what], figures, "engine kyutai")


async def test_language_switched_in_the_middle_of_a_sentence_loses_no_words(
    the_hpb: Hpb, kyutai_bot: Bot, room: str, figures: Figures
) -> None:
    """The words of the sentence are all there, and what is sent from then on says so.

    Spec: engines/Change of the language.
    """
    what, heard = recording(*TWO_SENTENCES), await kyutai_bot.heard()
    (in_the_middle,) = (word for word in what.words if word.text == "is")
    async with (
        captioned_call(the_hpb, kyutai_bot, room, figures) as reader,
        speaking(the_hpb, room, "alice") as alice,
    ):
        await kyutai_bot.until_heard(heard + 1)
        saying = alice.begin(what)
        await saying.reaches(in_the_middle.end)

        change = {"roomToken": room, "langId": "fr"}
        status = await kyutai_bot.post("/api/v1/call/set-language", change)
        switched = time.monotonic()

        await saying.reaches(what.seconds)
        await check_words(
            reader, alice.session, [what], figures, "language switched", languages={"en", "fr"}
        )
        captions = reader.of(alice.session)
    assert status == HTTPStatus.OK
    assert {c.language for c in captions if c.at < switched} == {"en"}
    assert {c.language for c in captions if c.at > switched + _ON_THE_WAY_S} == {"fr"}
