"""A bad network between a sender of this process and whoever receives.

It sits between SRTP and the socket: what it drops, doubles or puts out of order are real
packets. It counts packets and looks at no clock: a busy machine changes nothing.
"""

import heapq
import random
from dataclasses import dataclass, field

from aioice.ice import StunProtocol
from aiortc import RTCPeerConnection

from livebot.media.rtp import is_rtp, steps


@dataclass(slots=True)
class Link:
    """What happens to RTP; RTCP, STUN and DTLS pass.

    Attributes:
        loss: Share of the packets that are dropped.
        doubled: Share of those that come twice.
        late: Each may be overtaken by up to so many that were sent after it.
        blackout: These are dropped as well.
        seed: Of the dice.
        harmless_from: From this packet on, all pass at once.
        sent: Sequence number and timestamp of each packet, as it was sent.
        dropped: Sequence numbers that were dropped.
    """

    loss: float = 0.0
    doubled: float = 0.0
    late: int = 0
    blackout: range = range(0)
    seed: int = 0
    harmless_from: int = 2**31
    sent: list[tuple[int, int]] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    _waiting: list[tuple[int, int, bytes]] = field(default_factory=list)
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def join(self, pc: RTCPeerConnection) -> None:
        """Stand between a sender and its sockets; once it has some."""
        dtls = pc.getTransceivers()[0].sender.transport
        for protocol in dtls.transport._connection._protocols:
            self._join(protocol)

    def place(self, timestamp: int) -> int:
        """Return where a timestamp lies behind the first packet that was sent."""
        return steps(self.sent[0][1], timestamp % 2**32, 32)

    def _join(self, protocol: StunProtocol) -> None:
        pass_on = protocol.send_data

        async def send(data: bytes, addr: tuple[str, int]) -> None:
            for datagram in self._through(data) if is_rtp(data) else [data]:
                await pass_on(datagram, addr)

        protocol.send_data = send  # type: ignore[method-assign]

    def _through(self, data: bytes) -> list[bytes]:
        """Take a packet; return those that arrive now."""
        number, count = int.from_bytes(data[2:4], "big"), len(self.sent)
        self.sent.append((number, int.from_bytes(data[4:8], "big")))
        loss, doubled = self._dice.random(), self._dice.random()
        delays = [self._dice.randint(0, self.late) for _ in range(2)]
        if count >= self.harmless_from:
            delays = [0]
        elif loss < self.loss or count in self.blackout:
            self.dropped.append(number)
            delays = []
        elif doubled >= self.doubled:
            del delays[1:]
        for delay in delays:
            heapq.heappush(self._waiting, (count + delay, count, data))
        arrived = []
        while self._waiting and (self._waiting[0][0] <= count or count >= self.harmless_from):
            arrived.append(heapq.heappop(self._waiting)[2])
        return arrived
