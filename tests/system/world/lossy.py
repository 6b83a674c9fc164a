"""A bad network: a UDP relay in front of the TURN server that loses, delays and reorders.

For kernels without `netem`. All media of a bot with `LT_ICE_POLICY=relay` goes through it.
Only media is harmed, which TURN carries as ChannelData; TURN's own requests are not, but
for a blackout, in which nothing comes through. Chance is seeded.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.system.world.process import free_port

Address = tuple[str, int]

_SEED = 20
_CHANNEL_DATA = range(0x40, 0x80)
"""The first byte of ChannelData (RFC 8656, 12.4); a STUN message begins with a smaller one."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to media.

    Attributes:
        loss: How many packets are lost, 0 to 1.
        jitter_s: Each is late by up to this much, in order.
        reordered: How many come after some that left later, 0 to 1.
        blackout: Nothing comes through.
    """

    loss: float = 0.0
    jitter_s: float = 0.0
    reordered: float = 0.0
    blackout: bool = False


FAIR = Weather()
_TICK_S = 1e-6
"""Timers of the same moment go off in any order."""

_OVERTAKEN_S = 0.05
"""How late a reordered packet is: two that left later come before it."""


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, on_packet: Callable[[bytes, Address], None]) -> None:
        self._on_packet = on_packet

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._on_packet(data, addr)


class _Way:
    """One direction of one client's traffic.

    Args:
        send: Where packets go.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._random = random.Random(_SEED)
        self._last = 0.0

    def pass_on(self, data: bytes, weather: Weather) -> None:
        """Do to one packet what *weather* does."""
        if weather.blackout:
            return
        if data[0] not in _CHANNEL_DATA:
            self._send(data)
            return
        if self._random.random() < weather.loss:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + self._random.random() * weather.jitter_s
        if self._random.random() < weather.reordered:
            when += _OVERTAKEN_S
        else:
            # Jitter alone keeps the order.
            self._last = when = max(when, self._last + _TICK_S)
        if when <= loop.time():
            self._send(data)
        else:
            loop.call_at(when, self._send, data)


class LossyRelay:
    """The relay; `lossy_relay()` makes it.

    Args:
        target: The TURN server's port.

    Attributes:
        weather: What happens now.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.weather = FAIR
        self._target = target
        self._front: asyncio.DatagramTransport | None = None
        self._backs: dict[Address, asyncio.Task[asyncio.DatagramTransport]] = {}
        self._ways: dict[Address, _Way] = {}
        self._spared: set[Address] = set()

    def spare(self, after: int) -> None:
        """Let the weather be fair for all clients but the first *after*."""
        self._spared = set(list(self._backs)[after:])

    @property
    def clients(self) -> int:
        """Return how many clients there were."""
        return len(self._backs)

    async def open(self) -> None:
        """Begin to relay."""
        self._front = await _bound(self._from_client, local=("127.0.0.1", self.port))

    async def close(self) -> None:
        """End it."""
        for back in self._backs.values():
            (await back).close()
        if self._front is not None:
            self._front.close()

    def _from_client(self, data: bytes, client: Address) -> None:
        if client not in self._backs:
            self._backs[client] = asyncio.create_task(self._open_back(client), name="lossy")
        back = self._backs[client]
        if back.done():
            self._ways[client].pass_on(data, self._over(client))
        else:
            # The first packets wait for the socket.
            back.add_done_callback(lambda _: self._ways[client].pass_on(data, FAIR))

    async def _open_back(self, client: Address) -> asyncio.DatagramTransport:
        front = self._front
        assert front is not None
        down = _Way(lambda data: front.sendto(data, client))
        back = await _bound(
            lambda data, _: down.pass_on(data, self._over(client)),
            remote=("127.0.0.1", self._target),
        )
        self._ways[client] = _Way(back.sendto)
        return back

    def _over(self, client: Address) -> Weather:
        return FAIR if client in self._spared else self.weather


async def _bound(
    on_packet: Callable[[bytes, Address], None],
    *,
    local: Address | None = None,
    remote: Address | None = None,
) -> asyncio.DatagramTransport:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Receiver(on_packet), local_addr=local, remote_addr=remote
    )
    return transport


@asynccontextmanager
async def lossy_relay(target: int) -> AsyncIterator[LossyRelay]:
    """Relay to the TURN server at port *target* of this machine."""
    relay = LossyRelay(target)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.close()
