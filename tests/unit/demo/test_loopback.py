"""Media that stays on this machine."""

from aioice import ice

from livebot.demo.loopback import ADDRESS, loopback_only


def test_other_addresses_are_hidden_only_inside() -> None:
    """Inside nothing but loopback is gathered; afterwards everything is as it was."""
    before = ice.get_host_addresses

    with loopback_only():
        assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == [ADDRESS]

    assert ice.get_host_addresses is before
