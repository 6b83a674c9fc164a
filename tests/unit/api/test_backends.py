"""Which backend a request is about."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from livebot.api import backends
from livebot.api.backends import Backends
from livebot.api.callers import Caller
from livebot.errors import RequestError
from livebot.settings import load_settings
from tests.support.fake_rooms import FakeRooms

SETTINGS = load_settings(api_keys=())


def served(*names: str) -> Backends:
    """Return backends of these names."""
    return Backends({name: FakeRooms() for name in names}, dict.fromkeys(names, SETTINGS))


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Return whose the caller is: the last of the list."""
    found: list[str | None] = [None]
    monkeypatch.setattr(backends, "caller", lambda _: Caller("ops", found[-1]))
    return found


def asking(query: str = "") -> web.Request:
    """Return a request."""
    return make_mocked_request("GET", f"/x{query}")


@pytest.mark.parametrize("query", ["", "?backend=one"])
@pytest.mark.parametrize("key", [None, "one"])
def test_one_backend_need_not_be_named(own: list[str | None], query: str, key: str | None) -> None:
    """But it may be. Spec: room-control/Backends."""
    own.append(key)

    assert served("one").of(asking(query)).name == "one"


def test_a_key_for_all_names_one_of_several(own: list[str | None]) -> None:
    """Else it is told which there are. Spec: room-control/Backends."""
    assert own == [None]
    both = served("one", "two")

    assert both.of(asking("?backend=two")).name == "two"
    with pytest.raises(RequestError, match=r"\?backend=one\|two"):
        both.of(asking())
    for wrong in ("three", "", "One"):
        with pytest.raises(RequestError, match="have one, two"):
            both.of(asking(f"?backend={wrong}"))


def test_a_key_of_one_backend_stands_for_it(own: list[str | None]) -> None:
    """It reaches no other, and does not learn of any. Spec: room-control/Backends."""
    own.append("two")
    both = served("one", "two")

    assert both.of(asking()).name == "two"
    assert [backend.name for backend in both.visible(asking())] == ["two"]
    with pytest.raises(RequestError) as caught:
        both.of(asking("?backend=one"))
    assert "one" not in str(caught.value).split()


def test_several_are_visible_to_a_key_for_all(own: list[str | None]) -> None:
    """Unless it asks for one. Spec: room-control/List rooms."""
    assert own == [None]
    both = served("one", "two")

    assert [backend.name for backend in both.visible(asking())] == ["one", "two"]
    assert [backend.name for backend in both.visible(asking("?backend=two"))] == ["two"]
