"""What became of the captions that were sent: taken by the socket, then read by the server.

A socket takes what it is given for minutes after its other end has gone. So the server is
asked: its pong tells that it has read everything that was on the socket before the ping.
"""

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Receipt:
    """One caption's; both are False where the connection was lost before.

    Attributes:
        taken: Done when the socket has taken it.
        arrived: Done when the server has read it.
    """

    taken: asyncio.Future[bool]
    arrived: asyncio.Future[bool]


class Receipts:
    """The receipts of one connection after the other, oldest first.

    Attributes:
        owed: Set while captions were taken whose arrival is not known.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Receipt] = deque()
        self._taken: deque[Receipt] = deque()
        self.owed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many the socket has not taken."""
        return len(self._waiting)

    @property
    def taken(self) -> int:
        """How many the socket has taken and the server not confirmed."""
        return len(self._taken)

    def new(self, *, is_lost: bool = False) -> Receipt:
        """Return the receipt of a caption that is now to be sent, or cannot be."""
        receipt = Receipt(self._loop.create_future(), self._loop.create_future())
        if is_lost:
            _settle(receipt, has_arrived=False)
        else:
            self._waiting.append(receipt)
        return receipt

    def take(self, count: int) -> None:
        """Note that the socket has taken the oldest of those that wait."""
        for _ in range(count):
            receipt = self._waiting.popleft()
            _set(receipt.taken, result=True)
            self._taken.append(receipt)
            self.owed.set()

    def confirm(self, count: int) -> None:
        """Note that the server has read the oldest of those taken."""
        for _ in range(count):
            _settle(self._taken.popleft(), has_arrived=True)
        if not self._taken:
            self.owed.clear()

    def lose(self) -> None:
        """Note that the connection is gone, and with it whatever is not confirmed."""
        for receipt in [*self._taken, *self._waiting]:
            _settle(receipt, has_arrived=False)
        self._taken.clear()
        self._waiting.clear()
        self.owed.clear()


def _settle(receipt: Receipt, *, has_arrived: bool) -> None:
    # In this order: who waits for the socket shall know before what was lost with it.
    _set(receipt.arrived, result=has_arrived)
    _set(receipt.taken, result=has_arrived)


def _set(future: asyncio.Future[bool], *, result: bool) -> None:
    # Whoever waited may have been cancelled, and the future with it.
    if not future.done():
        future.set_result(result)
