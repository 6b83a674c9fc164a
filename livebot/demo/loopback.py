"""Keep all media of this process on 127.0.0.1.

The demo runs on a machine without any network, and must not offer its sockets to a
network where there is one. aioice gathers every address but the loopback's; this is the
one place that changes that, for the bot of the demo as well, since it runs in the same
process. A test fails when a new aioice changes what is touched here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from aioice import ice

ADDRESS = "127.0.0.1"


def _loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:  # noqa: ARG001, FBT001
    return [ADDRESS]


@contextmanager
def loopback_only() -> Iterator[None]:
    """Let peer connections gather 127.0.0.1 and nothing else, until leaving the context."""
    before = ice.get_host_addresses
    ice.get_host_addresses = _loopback
    try:
        yield
    finally:
        ice.get_host_addresses = before
