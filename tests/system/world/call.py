"""A call with captions from beginning to end, and what must be true of them."""

import asyncio
from collections.abc import AsyncIterator, Container, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

from tests.support.wer import Wer, total, wer
from tests.system.world.bot import Bot
from tests.system.world.engine import own_wers
from tests.system.world.figures import Figures, word_latencies
from tests.system.world.hpb import Hpb
from tests.system.world.member import LISTENING, Member, join
from tests.system.world.recording import Recording
from tests.system.world.speaker import Said
from tests.system.world.starvation import starvation
from tests.system.world.turn import IceServer

MARGIN = 0.05
"""How much worse than the model on the file a call may be: five points."""

LOOP_LAG_S = 0.05
"""How long the bot's event loop may be blocked."""

_CHANCE = 12
"""A caption shorter than this may be in a log as a part of something else."""

_QUIET_S = 2.5
"""When no caption has come for so long after speech, none will: pauses end utterances sooner."""

_QUIET_WITHIN_S = 15.0


@asynccontextmanager
async def captioned_call(
    hpb: Hpb, bot: Bot, room: str, figures: Figures, turn_servers: Sequence[IceServer] = ()
) -> AsyncIterator[Member]:
    """Hold a call in *room* with captions on; give its first member, who reads them.

    Afterwards the bot is asked to leave, and must. Nothing of the room may be left then.
    Neither may its loop have stalled meanwhile, nor may its log tell what nobody may know.
    """
    async with join(hpb, room, "reader") as reader, _watched(bot, figures):
        await reader.set_in_call(LISTENING)
        await bot.start(room, turn_servers)
        try:
            await reader.until(lambda: bool(reader.bots), "the bot", 5)
            yield reader
        finally:
            people, captions = list(reader.present), [t.text for t in reader.transcripts]
            status = await bot.stop(room)
        assert status == HTTPStatus.OK
        await reader.until(lambda: not reader.bots, "the bot to leave", 5)
        await bot.until_clean()
    check_privacy(bot, hpb, room, [*people, *captions])


@asynccontextmanager
async def _watched(bot: Bot, figures: Figures) -> AsyncIterator[None]:
    """See to it that the event loop of *bot* is never blocked; take over its own figures."""
    before = await bot.longest_stall_s()
    async with starvation(bot.process.pid) as starved:
        yield
    stall = await bot.longest_stall_s()
    await figures.note_bot(bot)
    if stall > before:
        figures.note_stall(stall, starved.longest_s)
        assert stall <= LOOP_LAG_S + starved.longest_s, (
            f"the bot's event loop was blocked for {stall:.3f} s, "
            f"of which it waited {starved.longest_s:.3f} s for a processor"
        )


def check_privacy(bot: Bot, hpb: Hpb, room: str, others: Sequence[str]) -> None:
    """Look for what nobody may find in a log: speech, whole tokens and ids, secrets."""
    log = bot.process.log.read_text(encoding="utf-8")
    private = [hpb.internal_secret, room, *(text for text in others if len(text) >= _CHANCE)]
    assert not [text for text in private if text in log], "the log tells secrets"


async def until_said(*readers: Member) -> None:
    """Wait for the end of what these readers are sent."""
    await asyncio.gather(*(reader.until_quiet(_QUIET_S, _QUIET_WITHIN_S) for reader in readers))


async def check_words(
    reader: Member,
    session: str,
    said: Sequence[Recording],
    figures: Figures,
    where: str,
    *,
    languages: Container[str] = ("en",),
) -> None:
    """Wait for the end of the captions of *session* and compare them with what was said."""
    await until_said(reader)
    captions = reader.of(session)
    owns = [await asyncio.to_thread(own_wers, what) for what in said]
    own, worst = total(each[0] for each in owns), total(max(each, key=_rate) for each in owns)
    got = wer(" ".join(what.text for what in said), reader.text_of(session))
    print(f"\n{where}: {got}; engine on the file {own}")  # noqa: T201 - people want to see it
    figures.words[where] = (got, own)
    assert {c.sender for c in captions} <= reader.bots, "captions come from the bot"
    assert captions, f"{where}: no captions"
    assert all(c.language in languages for c in captions)
    assert got.rate <= worst.rate + MARGIN, f"{where}: {got}, engine on the file {worst}"


def _rate(result: Wer) -> float:
    return result.rate


def note_latencies(reader: Member, session: str, said: Said, figures: Figures) -> None:
    """Note how late the words of *said* reached the reader."""
    figures.latencies += word_latencies(said, reader.of(session))
