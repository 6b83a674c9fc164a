"""Names lead only where anybody may look."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from livebot.errors import FetchError
from livebot.fetch.addresses import Allowed
from livebot.fetch.resolver import GuardedResolver


class Names(AbstractResolver):
    """Knows what it was told, in the order of the questions."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.is_closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the next answer."""
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self._answers.pop(0)
        ]

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True


async def found(resolver: GuardedResolver, host: str = "example.com") -> list[str]:
    """Return the addresses that are given out."""
    return [one["host"] for one in await resolver.resolve(host, 80)]


async def test_private_addresses_are_kept_back() -> None:
    """What a public name has besides public addresses is not given out."""
    resolver = GuardedResolver(Names(["10.0.0.1", "8.8.8.8", "::1", "fe80::1%2"]), Allowed())

    assert await found(resolver) == ["8.8.8.8"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "nonsense", "fd00::1"])
async def test_a_name_for_something_private_is_refused(address: str) -> None:
    """The error names the setting, and neither name nor address."""
    with pytest.raises(FetchError, match="LT_FETCH_HOSTS") as caught:
        await found(GuardedResolver(Names([address]), Allowed()))

    assert address not in str(caught.value)
    assert "example.com" not in str(caught.value)


async def test_a_name_that_changes_its_meaning_is_judged_anew() -> None:
    """DNS rebinding: each answer is judged, and what was judged is what is given out.

    Spec: daemon/Addresses.
    """
    resolver = GuardedResolver(Names(["8.8.8.8"], ["127.0.0.1"]), Allowed())

    assert await found(resolver) == ["8.8.8.8"]
    with pytest.raises(FetchError):
        await found(resolver)


async def test_an_allowed_host_may_be_anywhere() -> None:
    """And only that one."""
    resolver = GuardedResolver(Names(["10.0.0.1"], ["10.0.0.1"]), Allowed.of(["media.lan"]))

    assert await found(resolver, "media.lan") == ["10.0.0.1"]
    with pytest.raises(FetchError):
        await found(resolver, "other.lan")


async def test_closing_closes_the_other() -> None:
    """The resolver that is asked is not left open."""
    names = Names()

    await GuardedResolver(names, Allowed()).close()

    assert names.is_closed
