"""How often somebody may ask, and how often somebody may be wrong about who they are."""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

from livebot.api.callers import Caller
from livebot.errors import QuotaError
from livebot.rooms.token_bucket import TokenBucket

FAILURES_PER_MINUTE = 60
"""Per address. A service that restarts with an old key stays below; a guesser does not."""

MOST_ADDRESSES = 4096
"""Beyond, the one that was quiet longest is forgotten."""

_MINUTE_S = 60.0


class RequestLimits:
    """Requests per minute and caller.

    Args:
        per_minute: How many a caller may make; 0 for any number. Callers are as many as there
            are keys and backends, so nothing is ever forgotten.
    """

    def __init__(self, per_minute: Callable[[Caller], int]) -> None:
        self._per_minute = per_minute
        self._buckets: dict[Caller, TokenBucket] = {}

    def count(self, caller: Caller, now: float) -> None:
        """Count a request.

        Raises:
            QuotaError: It is one too many.
        """
        most = self._per_minute(caller)
        if not most:
            return
        bucket = self._buckets.get(caller)
        if bucket is None:
            bucket = self._buckets[caller] = TokenBucket(most, most / _MINUTE_S)
        if not bucket.take(now):
            raise QuotaError(
                f"{most} requests per minute are allowed", retry_in_s=_MINUTE_S / most
            )


class FailureLimits:
    """Requests with wrong credentials, or without any, per address.

    It never keeps anybody with the right ones out: many callers may share a proxy's address.
    """

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._buckets)

    def count(self, address: str | None, now: float) -> None:
        """Count a refusal.

        Raises:
            QuotaError: There were too many from there.
        """
        where = _network(address or "")
        bucket = self._buckets.pop(where, None)
        if bucket is None:
            bucket = TokenBucket(FAILURES_PER_MINUTE, FAILURES_PER_MINUTE / _MINUTE_S)
        self._buckets[where] = bucket
        if len(self._buckets) > MOST_ADDRESSES:
            self._buckets.popitem(last=False)
        if not bucket.take(now):
            raise QuotaError("too many requests without the right key", retry_in_s=_MINUTE_S)


def _network(address: str) -> str:
    """Return whom an address belongs to: in IPv6 that is the /64."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
