"""Links: opened by their token until they end, listed and withdrawn by whose they are."""

import time

import pytest

from livebot.errors import NotFoundError
from livebot.store import Store
from livebot.store.records import EVERYTHING, Scope, Share
from tests.support import kept

FOREVER = time.time() + 1e6


def share(**given: object) -> Share:
    """Return a link."""
    fixed: dict[str, object] = {"id": kept.new_id(), "kind": "live", "target": "t", "owner": "ops"}
    return Share(**{"expires_at": FOREVER} | fixed | given)  # type: ignore[arg-type]


async def test_a_token_opens_its_link_until_it_ends(store: Store) -> None:
    """The right token, in time, and nothing else.

    Spec: store/Links.
    """
    link = share(expires_at=100.0)
    await store.shares.add(link, "token")
    assert await store.shares.find("token", 99.0) == link
    assert await store.shares.find("token", 100.0) is None
    assert await store.shares.find("Token", 99.0) is None
    assert await store.shares.find("\udc80", 99.0) is None


async def test_a_withdrawn_link_opens_nothing(store: Store) -> None:
    """Only whose it is withdraws it.

    Spec: store/Links.
    """
    link = share()
    await store.shares.add(link, "token")
    with pytest.raises(NotFoundError):
        await store.shares.withdraw(link.id, Scope(owner="other"))
    assert await store.shares.find("token", 0.0) == link
    await store.shares.withdraw(link.id, Scope(owner="ops"))
    assert await store.shares.find("token", 0.0) is None
    with pytest.raises(NotFoundError):
        await store.shares.withdraw(link.id, EVERYTHING)


async def test_lists_have_ones_own_that_have_not_ended(store: Store) -> None:
    """Of calls, only those of the backend.

    Spec: store/Links.
    """
    own, ended = share(), share(expires_at=1.0)
    room_a, room_b = share(kind="room", target="a/t1"), share(kind="room", target="ab/t1")
    for number, link in enumerate((own, ended, room_a, room_b, share(owner="other"))):
        await store.shares.add(link, str(number))
    seen = {link.id for link in await store.shares.list(Scope(owner="ops", backend="a"))}
    assert seen == {own.id, room_a.id}
    assert len(await store.shares.list(EVERYTHING)) == 4


async def test_links_expire(store: Store) -> None:
    """What has ended is erased."""
    await store.shares.add(share(expires_at=5.0), "token")
    assert await store.shares.expire(4.0) == 0
    assert await store.shares.expire(5.0) == 1


async def test_links_go_with_what_they_are_of(store: Store) -> None:
    """A link to an erased transcript or a forgotten session is gone, too.

    Spec: store/Erasing.
    """
    head, live = kept.head(), kept.live()
    await store.transcripts.begin(head)
    await store.live.open(live)
    await store.shares.add(share(kind="transcript", target=head.id), "1")
    await store.shares.add(share(kind="live", target=live.id), "2")
    await store.transcripts.erase(head.id, EVERYTHING)
    await store.live.forget(live.id)
    assert not await store.shares.list(EVERYTHING)
