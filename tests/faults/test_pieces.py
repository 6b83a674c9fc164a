"""The faults themselves: should these fail, the table says nothing about the bot."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from livebot.audio.pcm import RATE_HZ, silence
from livebot.stt import wire
from tests.support.waiting import until
from tests.system.world.link import link
from tests.system.world.lossy import Weather, lossy_relay
from tests.system.world.process import free_port
from tests.system.world.stt_proxy import stt_proxy

pytestmark = pytest.mark.system

MEDIA = 0x40
REQUEST = 0x00
PACKETS = 200


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """Run a server that sends back what it gets; give its port."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(100):
                writer.write(piece)
        await gone(writer)

    port = free_port()
    async with await asyncio.start_server(serve_one, "127.0.0.1", port):
        yield port


async def gone(writer: asyncio.StreamWriter) -> None:
    """End a connection at once."""
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def ask(port: int, *, within_s: float = 2.0) -> bytes:
    """Connect, send something and return the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"hello")
        return await asyncio.wait_for(reader.read(100), within_s)
    finally:
        await gone(writer)


async def test_link_that_is_cut_breaks_and_refuses() -> None:
    """Open connections end, new ones are refused, and after mending all is well."""
    async with echo() as port, link(port) as way:
        reader, writer = await asyncio.open_connection("127.0.0.1", way.port)
        writer.write(b"hello")
        before = await reader.read(100)

        way.cut()
        with suppress(ConnectionError):
            assert not await reader.read()
        with pytest.raises(ConnectionRefusedError):
            await ask(way.port)
        await way.mend()

        assert (before, await ask(way.port)) == (b"hello", b"hello")
        await gone(writer)


async def test_link_that_is_hushed_accepts_and_says_nothing() -> None:
    """Open connections stay open and mute, also after mending; new ones are mute until then."""
    async with echo() as port, link(port) as way:
        reader, writer = await asyncio.open_connection("127.0.0.1", way.port)

        way.hush()
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await ask(way.port, within_s=0.2)
        await way.mend()

        assert await ask(way.port) == b"hello"
        writer.write(b"again")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(100), 0.2)
        await gone(writer)


async def through(weather: Weather, first_byte: int) -> list[int]:
    """Send numbered packets through the relay and return the numbers that come, in order."""
    come: list[int] = []
    loop = asyncio.get_running_loop()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002
            come.append(int.from_bytes(data[1:]))

    port = free_port()
    server, _ = await loop.create_datagram_endpoint(Receiver, local_addr=("127.0.0.1", port))
    async with lossy_relay(port) as relay:
        client, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", relay.port)
        )
        client.sendto(bytes([REQUEST, 0, 0]))
        await until(lambda: come)
        come.clear()
        relay.weather = weather
        for number in range(PACKETS):
            client.sendto(bytes([first_byte]) + number.to_bytes(2))
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        client.close()
    server.close()
    return come


async def test_media_is_lost_and_requests_are_not() -> None:
    """A fifth of the media, none of TURN's own messages."""
    weather = Weather(loss=0.2)

    assert 0.7 * PACKETS < len(await through(weather, MEDIA)) < 0.9 * PACKETS
    assert len(await through(weather, REQUEST)) == PACKETS


async def test_late_packets_keep_their_order_and_overtaken_ones_do_not() -> None:
    """Jitter is not reordering; neither loses anything."""
    late = await through(Weather(jitter_s=0.1), MEDIA)
    overtaken = await through(Weather(reordered=0.1), MEDIA)

    assert late == list(range(PACKETS))
    assert overtaken != sorted(overtaken) == list(range(PACKETS))


async def test_nothing_comes_through_a_blackout() -> None:
    """Neither media nor requests."""
    assert not await through(Weather(blackout=True), REQUEST)


@asynccontextmanager
async def listener(heard: list[float]) -> AsyncIterator[str]:
    """Run a speech service that notes when audio comes; give its address."""

    async def serve_one(bot: ServerConnection) -> None:
        async for _ in bot:
            heard.append(asyncio.get_running_loop().time())  # noqa: PERF401 - as they come

    port = free_port()
    async with serve(serve_one, "127.0.0.1", port):
        yield f"ws://127.0.0.1:{port}/v1/stream"


async def test_slow_service_takes_audio_more_slowly_than_it_is_spoken() -> None:
    """At slowness 2, five pieces of 0.1 s take a second."""
    heard: list[float] = []
    async with listener(heard) as url, stt_proxy(url) as proxy:
        proxy.slowness = 2.0
        began = asyncio.get_running_loop().time()
        async with connect(proxy.url, proxy=None) as bot:
            for _ in range(5):
                await bot.send(wire.encode_audio(silence(RATE_HZ // 10)))
            await until(lambda: len(heard) == 5)

    assert 0.9 < heard[-1] - began < 1.5


async def test_closing_service_closes_with_1000() -> None:
    """The bot's stream ends in order, though not at its wish."""
    async with listener([]) as url, stt_proxy(url) as proxy:
        proxy.closes_after_s = 0.2
        async with connect(proxy.url, proxy=None) as bot:
            with pytest.raises(ConnectionClosed):
                await bot.recv()

            assert bot.close_code == 1000
