"""Names to addresses, of which only those are given out that may be connected to.

What is connected to is what was checked: the connector takes the addresses from here, so a
name that means something else a moment later changes nothing.
"""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from livebot.errors import FetchError
from livebot.fetch.addresses import REFUSED, Allowed


class GuardedResolver(AbstractResolver):
    """Asks another resolver, and keeps back what may not be reached.

    Args:
        lookup: Who knows the addresses.
        allowed: What may be reached besides public addresses.
    """

    def __init__(self, lookup: AbstractResolver, allowed: Allowed) -> None:
        self._lookup = lookup
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host that may be connected to.

        Raises:
            FetchError: There are only others.
            OSError: There is no such host.
        """
        found = await self._lookup.resolve(host, port, family)
        if self._allowed.has_host(host):
            return found
        fit = [one for one in found if self._allowed.has_address(one["host"])]
        if not fit:
            raise FetchError(REFUSED)
        return fit

    async def close(self) -> None:
        """Close the other resolver."""
        await self._lookup.close()
