"""Requests that were overheard and are sent again."""

import hashlib
from collections import OrderedDict

REMEMBERED_S = 86_400.0
"""How long a request is known: longer than any process of Nextcloud's should live."""

MOST = 4096
"""Of some hundred bytes. Only Nextcloud's own requests are noted, and it makes a few a month."""


class Replays:
    """The requests that were seen, the oldest forgotten first."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._seen)

    def is_new(self, *parts: str, now: float) -> bool:
        """Note a request; say whether it is the first such one.

        Args:
            parts: What makes it the same request.
            now: In seconds; never less than before.
        """
        self._forget(now)
        # A part has no NUL: neither headers nor paths can hold one.
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).digest()
        if digest in self._seen:
            return False
        self._seen[digest] = now
        return True

    def _forget(self, now: float) -> None:
        while self._seen:
            oldest = next(iter(self._seen.values()))
            if now - oldest < REMEMBERED_S and len(self._seen) < MOST:
                return
            self._seen.popitem(last=False)
