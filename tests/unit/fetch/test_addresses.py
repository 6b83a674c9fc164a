"""Only what is known to be public passes."""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.fetch.addresses import Address, Allowed, Network, is_public, parse_address

# IANA's registries of special-purpose addresses, and multicast; written down here by hand.
SPECIAL_4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
SPECIAL_6 = [
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


def inside(network: Network) -> st.SearchStrategy[Address]:
    """Return addresses of a network."""
    first, last = int(network[0]), int(network[-1])
    kind = IPv4Address if network.version == 4 else IPv6Address
    return st.integers(first, last).map(kind)


@given(st.sampled_from(SPECIAL_4 + SPECIAL_6).map(ip_network).flatmap(inside))
def test_no_special_address_is_public(address: Address) -> None:
    """Nothing of IANA's special ranges passes.

    Spec: daemon/Addresses.
    """
    assert not is_public(address)


@given(inside(IPv4Network("0.0.0.0/0")))
def test_all_other_ipv4_is_public(address: Address) -> None:
    """What passes is exactly what is in no special range."""
    special = any(address in IPv4Network(network) for network in SPECIAL_4)

    assert is_public(address) == (not special)


@given(inside(IPv4Network("0.0.0.0/0")))
def test_what_carries_an_ipv4_address_is_no_way_around(address: Address) -> None:
    """NAT64 is as public as what it leads to; other wrappings never pass."""
    number = int(address)

    assert is_public(IPv6Address((0x64FF9B << 96) | number)) == is_public(address)
    assert not is_public(IPv6Address((0xFFFF << 32) | number))
    assert not is_public(IPv6Address(number))
    assert not is_public(IPv6Address((0x2002 << 112) | (number << 80)))


@given(inside(IPv6Network("::/0")))
def test_ipv6_passes_only_where_it_is_given_out(address: Address) -> None:
    """Outside of 2000::/3 and NAT64, nothing."""
    given_out = address in IPv6Network("2000::/3") or address in IPv6Network("64:ff9b::/96")

    assert given_out or not is_public(address)


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_the_world_can_be_reached(text: str) -> None:
    """Well-known public servers pass."""
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text", ["localhost", "2130706433", "0x7f.1", "127.1", "", "1.2.3.4.5", "::g", "٣.1.1.1"]
)
def test_what_is_no_plain_address_is_a_name(text: str) -> None:
    """Old spellings of addresses are left to the resolver, whose answer is judged."""
    assert parse_address(text) is None
    assert not Allowed().has_address(text)


def test_a_named_host_is_allowed_in_any_spelling() -> None:
    """Capitals, a final dot and brackets make no difference; other hosts stay out."""
    allowed = Allowed.of(["Media.LAN", "127.0.0.1", "[FD00::0:1]"])

    for host in ("media.lan", "MEDIA.lan.", "127.0.0.1", "fd00::1", "[fd00::1]"):
        assert allowed.has_host(host)
    for host in ("lan", "evil.media.lan", "127.0.0.2", "fd00::2", ""):
        assert not allowed.has_host(host)
