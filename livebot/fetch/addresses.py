"""Which addresses anybody may reach, and which lead into somebody's own network (pure).

Only what is known to be public passes: an address of a kind that this file does not know is
refused. Source: IANA's registries of special-purpose addresses for IPv4 and IPv6.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import Self, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

REFUSED = (
    "the address leads into a private network: where that is wanted, name its host in"
    " LT_FETCH_HOSTS"
)

_UNICAST_6 = IPv6Network("2000::/3")
"""All that was ever given out of IPv6; the rest is local, multicast or nobody's."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""How networks without IPv4 name IPv4 hosts: the last 32 bits say which."""

_REFUSED: tuple[Network, ...] = (
    # Python's own tables lack these, or lacked them in early releases of 3.11.
    IPv4Network("192.0.0.0/24"),  # protocol assignments; Oracle's metadata service is there
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("168.63.129.16/32"),  # Azure's own service inside of each of its machines
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2002::/16"),  # 6to4: carries any IPv4 address, private ones too
    IPv6Network("3fff::/20"),  # documentation
)


def is_public(address: Address) -> bool:
    """Say whether an address is one that anybody in the world may reach."""
    if any(address in network for network in _REFUSED if network.version == address.version):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not (address.is_multicast or address.is_reserved)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST_6 and address.is_global


def parse_address(text: str) -> Address | None:
    """Read an address as resolvers and URLs write it; None where it is a name."""
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be reached: public addresses, and named hosts whatever their addresses.

    Args:
        hosts: Names or addresses as they stand in URLs.
    """

    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, hosts: Iterable[str]) -> Self:
        """Take hosts as somebody wrote them."""
        return cls(frozenset(_plain(host) for host in hosts))

    def has_host(self, host: str) -> bool:
        """Say whether a URL with this host may lead anywhere."""
        return _plain(host) in self.hosts

    def has_address(self, text: str) -> bool:
        """Say whether an address may be connected to, whoever has it; what is none may not."""
        address = parse_address(text)
        return address is not None and is_public(address)


def _plain(host: str) -> str:
    """Return the one form in which hosts are compared."""
    name = host.strip("[]").rstrip(".").lower()
    address = parse_address(name)
    return str(address) if address else name
