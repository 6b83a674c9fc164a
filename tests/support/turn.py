"""A TURN server for tests of how one dies: it allocates, relays nothing, and may fall silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aioice import stun

from livebot.settings import IceServer


class TurnServer(asyncio.DatagramProtocol):
    """Grants every request, without asking who it is.

    Attributes:
        answers: Whether it answers at all.
        asked: The requests that came.
    """

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers
        self.asked: list[stun.Method] = []
        self.address = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def ice_server(self) -> IceServer:
        """Return how it is reached."""
        return IceServer((f"turn:{self.address[0]}:{self.address[1]}",), "user", "word")

    def connection_made(self, transport: Any) -> None:
        """Note where it listens."""
        self._transport = transport
        self.address = transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a request."""
        request = stun.parse_message(data)
        self.asked.append(request.message_method)
        if self.answers and self._transport is not None:
            answer = stun.Message(
                message_method=request.message_method,
                message_class=stun.Class.RESPONSE,
                transaction_id=request.transaction_id,
            )
            answer.attributes["XOR-MAPPED-ADDRESS"] = addr
            answer.attributes["XOR-RELAYED-ADDRESS"] = ("127.0.0.1", 9)
            answer.attributes["LIFETIME"] = 600
            self._transport.sendto(bytes(answer), addr)


@asynccontextmanager
async def turn_server(*, answers: bool = True) -> AsyncIterator[TurnServer]:
    """Open one on 127.0.0.1."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: TurnServer(answers=answers), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
