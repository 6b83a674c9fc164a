"""The signaling client on real sockets.

Spec: signaling-session/Reconnect
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from msgspec import structs

from livebot.captions.caption import Caption
from livebot.errors import SignalingError, SignalingRefusedError
from livebot.ids import RoomToken, SessionId
from livebot.metrics import Metrics
from livebot.rooms.clock import RoomClock
from livebot.rooms.delivery import Delivery
from livebot.rooms.outbox import Outgoing
from livebot.rooms.readers import Reader
from livebot.rooms.talk import FixedTalkSettings
from livebot.signaling import client, link
from livebot.signaling.client import SignalingClient, try_hello
from livebot.signaling.events import (
    CallChanged,
    Entered,
    Offered,
    Resumed,
    SignalingEvent,
    Switched,
)
from livebot.signaling.messages import Transcript
from livebot.signaling.refusals import SignalingThrottledError
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
    told: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_event(self, event: SignalingEvent) -> None:
        """Note an event."""
        self.events.append(event)
        if isinstance(event, Entered | Resumed):
            self.told.set()
        self._news.set()

    def on_lost(self, reason: str) -> None:
        """Note a loss."""
        self.losses.append(reason)
        self.told.clear()
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
        find_url=FixedTalkSettings(server.url).hpb_url,
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


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make what takes seconds take tenths of them."""
    monkeypatch.setattr(link, "PONG_TIMEOUT_S", 0.3)
    monkeypatch.setattr(client, "PING_EVERY_S", 0.3)
    monkeypatch.setattr(client, "RESUMING_DELAY_S", 0.02)
    monkeypatch.setattr(client, "CONFIRM_EVERY_S", 0.02)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("flood", [0, 2000], ids=["idle", "full window"])
async def test_a_frozen_socket_is_given_up_and_resumed(flood: int) -> None:
    """The server never answers a ping; nor does it take what is sent, until nothing can be."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        server.freeze()
        long = structs.replace(CAPTION, text="x" * 16_000)
        receipts = [bot.client.send_caption([SessionId("alice")], long) for _ in range(flood)]
        began = asyncio.get_running_loop().time()
        await bot.wait_for(Resumed)

        assert asyncio.get_running_loop().time() - began < 8.0
        assert "does not answer" in bot.losses[0]
        assert not any([await receipt.arrived for receipt in receipts])


@pytest.mark.usefixtures("_impatient")
async def test_what_a_frozen_socket_swallowed_is_told_to_be_lost() -> None:
    """It was taken, and did not arrive."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        server.freeze()
        receipt = bot.client.send_caption([SessionId("alice")], CAPTION)

        assert await receipt.taken
        assert not await receipt.arrived


async def test_leaving_a_frozen_socket_takes_no_longer_than_its_deadlines() -> None:
    """Not even where the farewell finds no room."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        server.freeze()
        for _ in range(2000):
            bot.client.send_caption(
                [SessionId("alice")], structs.replace(CAPTION, text="x" * 16_000)
            )
        await asyncio.sleep(0)
        bot.task.cancel()

        await asyncio.wait_for(asyncio.wait([bot.task]), link.CLOSE_TIMEOUT_S + 1.0)
        assert bot.task.cancelled()


async def test_a_restarted_server_is_entered_anew() -> None:
    """It knows nobody: a refused resume, a hello, a join, and the room knows it is a return."""
    async with AsyncExitStack() as first, AsyncExitStack() as stack:
        server = await first.enter_async_context(scripted_server())
        bot = await stack.enter_async_context(joined(server))
        await bot.wait_for(Entered)
        await first.aclose()
        await bot.wait_for_losses(2)
        again = await stack.enter_async_context(scripted_server(port=server.port))
        again.resumable = False
        await bot.wait_for(Entered, count=2)

        assert [("resumeid" in m["hello"]) for m in again.of("hello")] == [True, False]
        assert bot.events[-1] == Entered(SessionId("bot-1"), is_return=True)
        await bot.client.leave()
        await asyncio.wait_for(bot.task, 5)


async def test_a_refused_resume_is_not_repeated() -> None:
    """Over several losses, each session is asked for at most once."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        server.resumable = False
        for count in (2, 3):
            await server.drop()
            await bot.wait_for(Entered, count=count)

        asked = [m["hello"]["resumeid"] for m in server.of("hello") if "resumeid" in m["hello"]]
        assert asked == ["r-1", "r-2"]


async def test_a_locked_out_address_waits_for_minutes() -> None:
    """It is told as the reason, tried no more for now, and leaving does not wait."""
    async with scripted_server() as server:
        server.hello_error = "too_many_requests"
        async with joined(server) as bot:
            await bot.wait_for_losses(1)
            assert "too_many_requests" in bot.losses[0]
            delays = {bot.client._delay_s(SignalingThrottledError("x")) for _ in range(20)}
            assert min(delays) >= 300.0
            assert max(delays) - min(delays) > 10.0
            await asyncio.wait([bot.task], timeout=1.5)
            assert len(server.of("hello")) == 1
            await bot.client.leave()
            await asyncio.wait_for(bot.task, 1)


async def test_a_hundred_rooms_do_not_come_back_in_one_instant() -> None:
    """The first tries are quick and spread; those after them ever later, up to a bound."""
    clients = []
    for _ in range(100):
        made = SignalingClient(
            find_url=FixedTalkSettings("ws://127.0.0.1:1/").hpb_url,
            room=wire.ROOM,
            secret="s",
            backend="b",
            on_event=print,
        )
        clients.append(made)
    lost = SignalingError("lost")

    rounds = [sorted(c._delay_s(lost) for c in clients) for _ in range(9)]

    assert rounds[0][-1] <= 0.5
    for delays in rounds:
        assert delays[-1] - delays[0] > 0.4 * delays[-1]
        assert delays[-1] <= client.MOST_DELAY_S
        assert delays[0] > 0.0
    assert rounds[-1][0] >= client.MOST_DELAY_S / 2


async def test_while_a_session_lives_no_time_is_lost() -> None:
    """However often it failed before, the next try comes soon enough to resume."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        await server.drop()
        await bot.wait_for_losses(1)

        assert all(bot.client._delay_s(SignalingError("x")) <= 1.5 for _ in range(50))


@pytest.mark.usefixtures("_impatient")
async def test_a_caption_that_is_too_long_for_the_server_ends_one_connection() -> None:
    """The limit is learned: it is not sent again, and others are."""
    async with scripted_server(max_size=8_000) as server, joined(server) as bot:
        await bot.wait_for(Entered)
        long = structs.replace(CAPTION, text="x" * 20_000)
        assert not await bot.client.send_caption([SessionId("alice")], long).arrived
        await bot.wait_for(Resumed)

        for caption in (long, CAPTION):
            assert await bot.client.send_caption([SessionId("alice")], caption).arrived

        assert "1009" in bot.losses[0]
        assert len(bot.losses) == 1
        assert len(server.of("transcript")) == 1


async def test_a_breakout_room_is_followed() -> None:
    """The session joins the room that the server names."""
    async with scripted_server() as server, joined(server) as bot:
        await bot.wait_for(Entered)
        await server.send(wire.event("room", "switchto", roomid="breakout"))

        assert await bot.wait_for(Switched) == Switched(RoomToken("breakout"))
        assert await bot.wait_for(Entered, count=2) == Entered(SessionId("bot-1"))
        assert server.of("room")[-1]["room"] == {"roomid": "breakout"}


@pytest.mark.usefixtures("_impatient")
async def test_no_caption_is_lost_or_turned_over_fifty_cuts() -> None:
    """Cut, frozen or expired in the middle of it all: every caption is read, in order."""
    dice = random.Random(5)
    async with scripted_server() as server, joined(server) as bot:
        delivery = Delivery(
            bot.client,
            readers=lambda: [Reader(SessionId("bob"), "append")],
            clock=RoomClock(),
            metrics=Metrics(),
        )
        delivery.told = bot.told
        writer = asyncio.create_task(delivery.run())
        texts = [f"{number:04}" for number in range(1000)]
        for number, text in enumerate(texts):
            delivery.put(Outgoing(SessionId("alice"), Caption(text, final=True), "en"))
            if number % 20 == 19:
                await bot.told.wait()
                await asyncio.sleep(dice.random() * 0.03)
                server.resumable = dice.random() < 0.5
                losses = len(bot.losses)
                if dice.random() < 0.2:
                    server.freeze()
                else:
                    server.connections[-1].transport.abort()
                await bot.wait_for_losses(losses + 1)
        delivery.close()
        await asyncio.wait_for(writer, 20)

        read = [m["message"]["data"]["message"] for m in server.of("transcript")]
        assert len(bot.losses) >= 50
        assert list(dict.fromkeys(read)) == texts


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
        (b"HTTP/1.1 302 Found\r\nLocation: ws://[::1\r\nContent-Length: 0\r\n\r\n", "LT_HPB_URL"),
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


async def test_a_redirect_is_not_followed() -> None:
    """Whoever it points to would see a hello that opens rooms here."""
    async with scripted_server() as other:
        away = f"HTTP/1.1 302 Found\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n"

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(away.encode())
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(SignalingError, match="HTTP 302"):
                await try_hello(f"ws://127.0.0.1:{port}/spreed", secret="s", backend="b")

        assert other.received == []


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
