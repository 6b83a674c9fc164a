"""A room's signaling conversation without a socket: takes captions, says who is in the call."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from livebot.ids import SessionId
from livebot.signaling.events import SignalingEvent
from livebot.signaling.messages import Transcript
from livebot.signaling.receipts import Receipt, Receipts

CONFIRM_S = 0.2


@dataclass(frozen=True, slots=True)
class Sent:
    """One caption for one reader."""

    reader: SessionId
    caption: Transcript


class PretendWire:
    """In place of `SignalingClient`; the newest one is `PretendWire.last`.

    Attributes:
        read: What the server has read, in order.
        on_send: Called with each caption that is put on the wire, before anything can be lost.
    """

    last: "PretendWire"

    def __init__(
        self,
        *,
        find_url: Callable[[], Awaitable[str]],
        on_event: Callable[[SignalingEvent], None],
        on_lost: Callable[[str], None],
        **_: object,
    ) -> None:
        del find_url
        type(self).last = self
        self.on_event = on_event
        self.on_lost = on_lost
        self.on_send: Callable[[Sent], None] = lambda _: None
        self.read: list[Sent] = []
        self._sending: list[list[Sent]] = []
        self._receipts = Receipts()
        self._connection = 0
        self._is_up = True
        self._left = asyncio.Event()

    async def run(self) -> None:
        """Stay until `leave()`."""
        await self._left.wait()

    async def leave(self) -> None:
        """End `run()`."""
        self._left.set()

    def send_caption(self, readers: list[SessionId], caption: Transcript) -> Receipt:
        """Take a caption at once, and read it in a while."""
        if not self._is_up:
            return self._receipts.new(is_lost=True)
        batch = [Sent(reader, caption) for reader in readers]
        for sent in batch:
            self.on_send(sent)
        self._sending.append(batch)
        receipt = self._receipts.new()
        self._receipts.take(1)
        asyncio.get_running_loop().call_later(CONFIRM_S, self._confirm, self._connection)
        return receipt

    def cut(self) -> None:
        """Lose the connection, and what the server has not read."""
        self._is_up = False
        self._connection += 1
        self._sending.clear()
        self._receipts.lose()
        self.on_lost("cut")

    def come_back(self) -> None:
        """Connect again; what that means is for the test to say, with `on_event`."""
        self._is_up = True

    # Audio is not pretended.

    def subscribe(self, speaker: SessionId) -> None:
        """Have nothing to offer."""

    def unsubscribe(self, speaker: SessionId) -> None:
        """Have nothing to end."""

    def subscription_lost(self, speaker: SessionId) -> None:
        """Have nothing to lose."""

    def subscription_steady(self, speaker: SessionId) -> None:
        """Have nothing to note."""

    def answer(self, speaker: SessionId, *, sid: str, sdp: str) -> None:
        """Have offered nothing."""

    def _confirm(self, connection: int) -> None:
        if connection == self._connection:
            self.read += self._sending.pop(0)
            self._receipts.confirm(1)
