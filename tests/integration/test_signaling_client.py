"""The signaling client on real sockets.

Spec: signaling-session/Reconnect
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from livebot.errors import SignalingError, SignalingRefusedError
from livebot.ids import SessionId
from livebot.signaling.client import SignalingClient, try_hello
from livebot.signaling.events import CallChanged, Entered, Offered, Resumed, SignalingEvent
from livebot.signaling.messages import Transcript
from tests.support import wire
from tests.support.scripted_server import ScriptedServer, scripted_server

CAPTION = Transcript(speaker=SessionId("alice"), text="hello", language="en", final=True)


@dataclass(slots=True)
class Joined:
    """A client that runs, and what it reported."""

    client: SignalingClient = field(init=False)
    task: asyncio.Task[None] = field(init=False)
    events: list[SignalingEvent] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_event(self, event: SignalingEvent) -> None:
        """Note an event."""
        self.events.append(event)
        self._news.set()

    def on_lost(self, reason: str) -> None:
        """Note a loss."""
        self.losses.append(reason)
        self._news.set()

    async def wait_for_losses(self, count: int) -> None:
        """Wait until so many connections were lost."""
        async with asyncio.timeout(10):
            while len(self.losses) < count:
                self._news.clear()
                await self._news.wait()

    async def wait_for(self, kind: type[SignalingEvent], count: int = 1) -> SignalingEvent:
        """Wait for the n-th event of a type."""
        async with asyncio.timeout(10):
            while len(found := [e for e in self.events if isinstance(e, kind)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]


@asynccontextmanager
async def joined(server: ScriptedServer) -> AsyncIterator[Joined]:
    """Run a client; it is cancelled at the end if it has not left."""
    seen = Joined()
    seen.client = SignalingClient(
        url=server.url,
        room=wire.ROOM,
        secret="secret",
        backend="https://cloud.example/",
        on_event=seen.on_event,
        on_lost=seen.on_lost,
    )
    async with asyncio.TaskGroup() as group:
        seen.task = group.create_task(seen.client.run())
        yield seen
        seen.task.cancel()


async def test_join_listen_caption_and_leave() -> None:
    """The whole conversation once: in, an offer, an answer, a caption, bye."""
    async with scripted_server() as server, joined(server) as bot:
        entered = await bot.wait_for(Entered)
        await server.send(wire.call(("alice", 3, False)))
        await bot.wait_for(CallChanged)
        bot.client.subscribe(SessionId("alice"))
        await server.wait_for("requestoffer")
        await server.send(wire.offer("alice"))
        await bot.wait_for(Offered)
        bot.client.answer(SessionId("alice"), sid="7", sdp="v=0")
        receipt = bot.client.send_caption([SessionId("alice"), SessionId("bob")], CAPTION)
        assert await receipt.arrived
        await bot.client.leave()
        await asyncio.wait_for(bot.task, 5)

        assert entered == Entered(SessionId("bot-1"))
        await server.wait_for("answer")
        await server.wait_for("transcript", count=2)
        await server.wait_for("bye")
        assert len(server.connections) == 1


async def test_a_cut_socket_is_resumed() -> None:
    """The session goes on where it was: no second join, and what waited is sent."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        await server.drop()
        await bot.wait_for(Resumed)
        assert await bot.client.send_caption([SessionId("alice")], CAPTION).arrived

        assert len(server.of("room")) == 1
        assert bot.losses


async def test_an_expired_session_is_begun_anew() -> None:
    """A refused resume is followed by hello and join on the same socket."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        server.resumable = False
        await server.drop()

        assert await bot.wait_for(Entered, count=2) == Entered(SessionId("bot-2"), is_return=True)
        assert len(server.connections) == 2


async def test_without_a_connection_a_caption_is_told_to_be_lost() -> None:
    """At once, so that whoever sends it can wait until he knows for whom."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        await server.drop()
        await bot.wait_for_losses(1)
        receipt = bot.client.send_caption([SessionId("alice")], CAPTION)

        assert not await receipt.taken
        assert not await receipt.arrived


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    """Refused connections are faults of the outside world, not the end."""
    async with scripted_server() as server:
        pass
    async with joined(server) as bot:
        await bot.wait_for_losses(2)

        assert not bot.task.done()
        await bot.client.leave()
        await asyncio.wait_for(bot.task, 5)


async def test_a_wrong_secret_is_tried_once() -> None:
    """The server locks out an address that keeps failing, so we do not."""
    async with scripted_server() as server:
        server.hello_error = "invalid_token"
        with pytest.RaisesGroup(SignalingRefusedError):
            async with joined(server) as bot:
                await asyncio.wait([bot.task])

        assert len(server.of("hello")) == 1


async def test_garbage_on_the_socket_does_no_harm() -> None:
    """Binary frames and nonsense are skipped; the conversation goes on."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        await server.connections[-1].send(b"\x00\xff")
        for text in ("", "null", "[]", '{"type":5}', '{"type":"event","event":"x"}'):
            await server.send(text)
        await server.send(wire.call(("alice", 3, False)))

        await bot.wait_for(CallChanged)
        assert not bot.losses


async def test_try_hello_says_who_answers() -> None:
    """The doctor's question: version of the server, and no room is joined."""
    async with scripted_server() as server:
        version = await try_hello(server.url, secret="s", backend="https://cloud.example/")

        assert version == "test"
        assert server.of("room") == []


async def test_try_hello_of_a_silent_server_ends() -> None:
    """No answer is an error, in bounded time."""
    async with scripted_server() as server:
        server.answers_hello = False
        with pytest.raises(SignalingError, match="does not answer"):
            await try_hello(server.url, secret="s", backend="b", timeout_s=0.3)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP 404"),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://[::1\r\nContent-Length: 0\r\n\r\n", "no way"),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://h:99999/\r\nContent-Length: 0\r\n\r\n", "no way"),
        (b"SSH-2.0\r\n", "InvalidMessage"),
        (b"", "InvalidMessage"),
    ],
)
async def test_whoever_else_answers_is_a_signaling_error(answer: bytes, said: str) -> None:
    """A web server, a redirect to nowhere, something that is not HTTP at all."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(SignalingError, match=said):
            await try_hello(f"ws://127.0.0.1:{port}/spreed", secret="s", backend="b")


async def test_a_host_that_cannot_be_is_a_signaling_error() -> None:
    """Names that no resolver takes are refused before anything is sent."""
    with pytest.raises(SignalingError, match="no way"):
        await try_hello("ws://a..b/spreed", secret="s", backend="b")


async def test_a_socks_proxy_is_a_signaling_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with one does not end the service."""
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    monkeypatch.setenv("socks_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(SignalingError, match="no way"):
        await try_hello("wss://hpb.invalid/spreed", secret="s", backend="b")
