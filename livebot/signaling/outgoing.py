"""Messages of ours on their way to the socket: numbered, in order, and none too long.

A message over the server's limit ends the connection (1009). It would end the next one
too, so it is not sent. A server, or a proxy before it, whose limit is lower is learned
from the first connection that ends so.
"""

MOST_BYTES = 64 * 1024
"""The server's limit of one message."""

LEAST_LIMIT_BYTES = 4 * 1024
"""No lower limit is learned: an answer to an offer must get through."""

TOO_BIG = 1009
"""The close code for a message that was too long."""


class Outgoing:
    """What waits to be put on the socket.

    Attributes:
        too_long: Messages that were not sent, because they would end the connection.
    """

    def __init__(self) -> None:
        self.too_long = 0
        self._texts: list[str] = []
        self._last_id = 0
        self._limit = MOST_BYTES
        self._longest = 0

    def __bool__(self) -> bool:
        return bool(self._texts)

    def next_id(self) -> str:
        """Return an id that no message had before."""
        self._last_id += 1
        return str(self._last_id)

    def put(self, text: str) -> None:
        """Add a message, unless it is too long."""
        size = len(text.encode())
        if size > self._limit:
            self.too_long += 1
            return
        self._longest = max(self._longest, size)
        self._texts.append(text)

    def take(self) -> list[str]:
        """Return all messages, in order, and forget them."""
        texts, self._texts = self._texts, []
        return texts

    def clear(self, close_code: int | None) -> None:
        """Forget all: their connection is gone, with this close code of the server's."""
        self._texts.clear()
        if close_code == TOO_BIG:
            self._limit = max(LEAST_LIMIT_BYTES, self._longest - 1)
        self._longest = 0
