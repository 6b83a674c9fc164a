"""One scenario from beginning to end: people come, talk, are hit, go on talking."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    suppress,
)
from http import HTTPStatus
from math import inf
from pathlib import Path
from typing import TypeVar

from aiohttp import ClientError

from tests.faults.account import Account, Counted, Shown, Spoken, account
from tests.faults.lateness import lateness
from tests.faults.scenario import Call, Ground, Scenario, Seen
from tests.faults.talk import Talk, talk
from tests.system.world.bot import Bot, bot
from tests.system.world.browser_visitor import BrowserVisitor, browsing
from tests.system.world.call import check_privacy
from tests.system.world.hpb import Hpb
from tests.system.world.process import WorldError
from tests.system.world.recording import bare_words
from tests.system.world.visitor import Visitor, visiting

T = TypeVar("T")

BEFORE_S = 9.0
"""How long people talk before the fault."""

_LONGEST_S = 120.0
_JOINING_S = 1.5
"""Nobody is asked to understand what somebody says who has just come in."""

_ON_THE_WAY_S = 0.5
"""What is said so shortly before somebody goes may never have left their machine."""

_QUIET_S = 10.0
_QUIET_WITHIN_S = 45.0
_LOOK_EVERY_S = 0.5
_CLEAN_WITHIN_S = 10.0
"""A peer whose TURN server has gone takes some seconds to close."""

_SETTINGS = {"LT_ENGINE_WORKERS": "1", "LT_EMPTY_ROOM_SECONDS": "60"}
"""One worker is enough for two people; a room is empty for a while when a server dies."""


def talk_of(user: str) -> Talk:
    """Return what somebody says; Bob thinks more. Blocks the first time."""
    first, pause_s = {"alice": (0, 0.8), "bob": (4, 2.0)}[user]
    return talk(_LONGEST_S, first, pause_s)


@asynccontextmanager
async def aside(context: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context that blocks without blocking the loop."""
    value = await asyncio.to_thread(context.__enter__)
    try:
        yield value
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


async def perform(scenario: Scenario, folder: Path, shared: Hpb) -> Seen:
    """Let *scenario* happen in *folder*; *shared* is for those that do not harm it."""
    await asyncio.to_thread(folder.mkdir)
    async with (
        scenario.ground(folder, shared) as ground,
        aside(bot(folder / "bot", ground.hpb, {**_SETTINGS, **ground.settings})) as the_bot,
        _call(ground, the_bot, folder) as call,
    ):
        return await _observe(scenario, ground, call, folder)


@asynccontextmanager
async def _call(ground: Ground, the_bot: Bot, folder: Path) -> AsyncIterator[Call]:
    room = secrets.token_hex(4)
    async with visiting(ground.hpb, room, "reader") as reader:
        await the_bot.start(room, ground.turn_servers)
        async with _alice(ground, room, folder) as alice:
            # First her alone, so that a network can tell whose media is whose.
            await the_bot.until_heard(1)
            async with visiting(ground.hpb, room, "bob", microphone=True) as bob:
                await the_bot.until_heard(2)
                bob.speak(talk_of("bob").packets)
                if isinstance(alice, Visitor):
                    alice.speak(talk_of("alice").packets)
                yield Call(the_bot, reader, alice, bob)


def _alice(
    ground: Ground, room: str, folder: Path
) -> AbstractAsyncContextManager[Visitor | BrowserVisitor]:
    if ground.has_browser:
        return browsing(folder, ground.hpb, room, "alice", talk_of("alice").sound)
    return visiting(ground.hpb, room, "alice", microphone=True)


async def _observe(scenario: Scenario, ground: Ground, call: Call, folder: Path) -> Seen:
    await asyncio.sleep(BEFORE_S)
    gaps = await _gaps(call.bot)
    async with _health(call.bot) as reasons, lateness() as late:
        struck = time.monotonic()
        await ground.strike(call)
        over = time.monotonic()
        await asyncio.sleep(scenario.after_s)
        await asyncio.gather(_end(call.alice), _end(call.bob))
        await _until_quiet(call.reader, (call.alice, call.bob))
    last_reasons = tuple((await call.bot.health()).get("reasons", ()))
    gap_s = {cause: s - gaps.get(cause, 0.0) for cause, s in (await _gaps(call.bot)).items()}
    return Seen(
        struck=(struck, over),
        accounts={
            who.user: _account(
                who, call.reader, Counted(sum(gap_s.values()), struck, over), folder
            )
            for who in (call.alice, call.bob)
        },
        gap_s=gap_s,
        reasons=tuple(reasons),
        last_reasons=last_reasons,
        left=await _leave(ground, call),
        machine_late_s=late.worst_s,
        log=call.bot.process.log,
    )


async def _leave(ground: Ground, call: Call) -> str:
    """Ask the bot to leave; return what it keeps, nothing as a rule. Its log tells no secrets."""
    log, room = call.reader.log, call.reader.room
    status = await call.bot.stop(room)
    private = [*log.seen, *(caption.text for caption in log.transcripts)]
    check_privacy(call.bot, ground.hpb, room, private)
    if status != HTTPStatus.OK:
        return f"no room to leave ({status})"
    try:
        await call.bot.until_clean(_CLEAN_WITHIN_S)
    except WorldError as exc:
        return str(exc)
    return ""


async def _end(who: Visitor | BrowserVisitor) -> None:
    """Let somebody finish their sentence."""
    began = who.visits[-1].talk_began
    if began is not None:
        end = began + talk_of(who.user).end_after(time.monotonic() - began) + _ON_THE_WAY_S
        await asyncio.sleep(end - time.monotonic())
        who.visits[-1].until = end
    who.hush()


def _account(
    who: Visitor | BrowserVisitor, reader: Visitor, counted: Counted, folder: Path
) -> Account:
    """Compare what was said into the call with what the reader got."""
    spoken = _spoken(who)
    own, others = _shown(reader, who.user)
    _write(folder / f"{who.user}.txt", spoken, own)
    return account(spoken, own, others, counted)


def _spoken(who: Visitor | BrowserVisitor) -> list[Spoken]:
    """Return what somebody said into the call."""
    found = []
    for visit in who.visits:
        began = inf if visit.talk_began is None else visit.talk_began
        counted = visit.since + _JOINING_S, visit.until - _ON_THE_WAY_S
        for text, at in talk_of(who.user).words:
            if visit.since <= began + at <= visit.until:
                found.append(Spoken(text, began + at, counted[0] <= began + at <= counted[1]))
    return found


def _shown(reader: Visitor, user: str) -> tuple[list[Shown], list[Shown]]:
    """Return what the reader was shown in somebody's name, by session, and in others' names."""
    seen = reader.log.seen
    sessions = [session for session, name in seen.items() if name == user]
    own = [t for session in sessions for t in reader.log.transcripts if t.speaker == session]
    others = [t for t in reader.log.transcripts if t.speaker not in sessions]
    return [Shown(t.text, t.at) for t in own], [Shown(t.text, t.at) for t in others]


def _write(file: Path, spoken: Sequence[Spoken], shown: Sequence[Shown]) -> None:
    """Leave a record for whoever wonders: what was said and shown when."""
    lines = sorted(
        [(w.at, f"      said {w.text}") for w in spoken] + [(c.at, c.text) for c in shown]
    )
    text = "".join(f"{at - lines[0][0]:7.2f} {what}\n" for at, what in lines)
    file.write_text(text, encoding="utf-8")


async def _gaps(the_bot: Bot) -> Mapping[str, float]:
    return await the_bot.by_label("transcription_gap_seconds_total", "cause")


async def _until_quiet(reader: Visitor, speakers: Sequence[Visitor | BrowserVisitor]) -> None:
    """Wait for the last words of everybody, or until none are to be expected any more."""
    deadline = time.monotonic() + _QUIET_WITHIN_S
    last, since = len(reader.log.transcripts), time.monotonic()
    while time.monotonic() < min(deadline, since + _QUIET_S):
        await asyncio.sleep(_LOOK_EVERY_S)
        if all(_has_ended(who, reader) for who in speakers):
            return
        if len(reader.log.transcripts) > last:
            last, since = len(reader.log.transcripts), time.monotonic()


def _has_ended(who: Visitor | BrowserVisitor, reader: Visitor) -> bool:
    """Say whether the last words shown are the last ones spoken."""
    spoken, own = _spoken(who), _shown(reader, who.user)[0]
    shown = bare_words(" ".join(caption.text for caption in own if not caption.is_notice))
    return bool(spoken) and [word.text for word in spoken[-3:]] == shown[-3:]


@asynccontextmanager
async def _health(the_bot: Bot) -> AsyncIterator[list[str]]:
    """Collect what the health check says meanwhile, each reason once."""
    reasons: list[str] = []
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_watch(the_bot, reasons), name="health")
        yield reasons
        task.cancel()


async def _watch(the_bot: Bot, reasons: list[str]) -> None:
    while True:
        with suppress(ClientError, OSError):
            health = await the_bot.health()
            reasons += [r for r in health.get("reasons", ()) if r not in reasons]
        await asyncio.sleep(_LOOK_EVERY_S)
