"""Recognition on another machine: `livebot serve` and `livebot stt-server` over a WebSocket."""

from collections.abc import Iterator
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
