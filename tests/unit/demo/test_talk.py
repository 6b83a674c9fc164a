"""Talk's part in captions, against a bot that notes what it is asked."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aiohttp import web

from livebot.demo import talk as talks
from livebot.demo.server import DemoServer
from livebot.demo.talk import Talk
from livebot.errors import LivebotError
from livebot.ids import RoomToken, TalkSessionId
from tests.support.waiting import until

ROOM = RoomToken("demo")


class _Call:
    """A call in which the test says who wants captions."""

    def __init__(self, *readers: str) -> None:
        self._readers = frozenset(map(TalkSessionId, readers))
        self._news = asyncio.Event()
        self.told: list[tuple[str, str]] = []

    def now(self, *readers: str) -> None:
        """Say who wants captions from now on."""
        self._readers = frozenset(map(TalkSessionId, readers))
        self._news.set()

    async def readers(
        self, room: RoomToken, known: frozenset[TalkSessionId]
    ) -> frozenset[TalkSessionId]:
        """Do as the demo's server does."""
        assert room == ROOM
        while self._readers == known:
            self._news.clear()
            await self._news.wait()
        return self._readers

    def captions_failed(self, room: RoomToken, reader: TalkSessionId, why: str) -> None:
        """Note what a reader is told."""
        assert room == ROOM
        self.told.append((reader, why))


class _Bot:
    """The bot's HTTP API, with a status to answer with; 0 is never."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.readers: set[str] = set()
        self._ended = asyncio.Event()

    async def transcribe(self, request: web.Request) -> web.Response:
        """Answer the one who asks, or does so no more."""
        if not self.status:
            await self._ended.wait()
        elif self.status == 200:
            body = await request.json()
            self.bodies.append(body)
            (self.readers.add if body["enable"] else self.readers.discard)(body["ncSessionId"])
        return web.json_response({"error": "too busy"}, status=self.status or 500)

    async def delete(self, request: web.Request) -> web.Response:
        """Note the room."""
        self.deleted.append(request.match_info["token"])
        return web.json_response({}, status=self.status)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Listen; yield the port."""
        app = web.Application()
        app.router.add_post("/api/v1/call/transcribe", self.transcribe)
        app.router.add_delete("/api/v1/call/transcribe/{token}", self.delete)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield int(runner.addresses[0][1])
        finally:
            self._ended.set()
            await runner.cleanup()


@asynccontextmanager
async def _running(call: _Call, bot: _Bot, problems: list[str]) -> AsyncIterator[Talk]:
    async with bot.running() as port, asyncio.TaskGroup() as group:
        server = cast(DemoServer, call)
        talk = Talk(server, port, room=ROOM, language="en", on_problem=problems.append)
        await talk.begin()
        running = group.create_task(talk.run())
        yield talk
        running.cancel()


async def test_the_bot_is_asked_as_talk_asks() -> None:
    """With the room, Nextcloud's session, the language, and how the page shows captions."""
    bot = _Bot()
    async with _running(_Call("ada"), bot, []) as talk:
        assert bot.bodies == [
            {
                "roomToken": "demo",
                "ncSessionId": "ada",
                "enable": True,
                "langId": "en",
                "mode": "replace",
            }
        ]
        await talk.end()

    assert bot.deleted == ["demo"]


@pytest.mark.parametrize("seed", range(5))
async def test_the_bot_knows_who_wants_captions_in_the_end(seed: int) -> None:
    """However fast they come, go and change their minds, and each only once at a time."""
    call, bot, problems = _Call("0"), _Bot(), list[str]()
    async with _running(call, bot, problems):
        for number in range(60):
            wanted = [str(n) for n in range(7) if (number * (seed + 3) + n * n) % (n + 2) == 0]
            call.now(*wanted)
            await asyncio.sleep(0.001 * (number % 4))
        call.now("1", "5")

        await until(lambda: bot.readers == {"1", "5"})

    for reader in map(str, range(7)):
        mine = [body["enable"] for body in bot.bodies if body["ncSessionId"] == reader]
        assert all(a != b for a, b in itertools.pairwise(mine)), reader
    assert not problems


@pytest.mark.parametrize(
    ("status", "why"), [(503, "the bot refused (503)"), (0, "did not answer within")]
)
async def test_what_fails_is_told_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, status: int, why: str
) -> None:
    """On the screen and to whom it concerns; pressing the button again asks again.

    Spec: command-line/Captions in the demo.
    """
    monkeypatch.setattr(talks, "ANSWER_WITHIN_S", 0.2)
    call, bot, problems = _Call("ada"), _Bot(), list[str]()
    async with _running(call, bot, problems):
        bot.status = status
        call.now("ada", "grace")
        await until(lambda: problems)
        assert bot.readers == {"ada"}

        bot.status = 200
        call.now("ada")
        await asyncio.sleep(0.05)
        call.now("ada", "grace")
        await until(lambda: bot.readers == {"ada", "grace"})

    (problem,) = problems
    assert problem.startswith("Captions could not be switched on: ")
    assert why in problem
    assert call.told == [("grace", problem)]


async def test_bot_that_refuses_the_first_reader_is_a_fault() -> None:
    """There is no demo then, so it does not go on."""
    bot = _Bot()
    bot.status = 503
    async with bot.running() as port:
        server = cast(DemoServer, _Call("ada"))
        talk = Talk(server, port, room=ROOM, language="en", on_problem=lambda _: None)

        with pytest.raises(LivebotError, match="too busy"):
            await talk.begin()


async def test_bot_that_is_not_there_is_a_fault() -> None:
    """And not whatever the HTTP library raises."""
    server = cast(DemoServer, _Call("ada"))
    talk = Talk(server, 1, room=ROOM, language="en", on_problem=lambda _: None)

    with pytest.raises(LivebotError, match="cannot be reached"):
        await talk.begin()
