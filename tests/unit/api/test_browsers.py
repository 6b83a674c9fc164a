"""Web pages, and how they betray themselves."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from livebot.api.browsers import is_foreign, refuse_foreign_sockets, refuse_pages

LISTED = "https://cloud.example"


def sent(*headers: tuple[str, str], host: str = "127.0.0.1:8080") -> web.Request:
    """Return a request with these headers."""
    return make_mocked_request("GET", "/x", headers=CIMultiDict([("Host", host), *headers]))


def gets_in(request: web.Request, *, local: bool) -> bool:
    """Say whether a request without a key gets in."""
    try:
        refuse_pages(request, local=local, origins={LISTED})
    except web.HTTPForbidden:
        return False
    return True


@pytest.mark.parametrize(
    "host", ["evil.example:8080", "127.0.0.1.evil.example", "[::1", "", "localhost.evil.example"]
)
def test_names_that_are_not_ours(host: str) -> None:
    """Somebody pointed their own name to this machine. Spec: access/Web pages."""
    assert not gets_in(sent(host=host), local=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:8080", "127.0.0.2:1"])
def test_this_machine_by_all_its_names(host: str) -> None:
    """Programs on this machine get in, and the pages it serves itself."""
    assert gets_in(sent(host=host), local=True)
    assert gets_in(sent(("Origin", f"http://{host}"), host=host), local=True)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://127.0.0.1:3000", "file://", "http://[::1", "*"],
)
@pytest.mark.parametrize("local", [True, False])
def test_pages_of_others(origin: str, *, local: bool) -> None:
    """A page names where it comes from, other ports of this machine included."""
    assert not gets_in(sent(("Origin", origin)), local=local)


def test_pages_that_are_listed() -> None:
    """The administrator's word counts, but not for two pages at once."""
    for local in (True, False):
        assert gets_in(sent(("Origin", LISTED)), local=local)
        assert not gets_in(sent(("Origin", LISTED), ("Origin", "http://a.b")), local=local)


def test_an_open_service_does_not_know_its_names() -> None:
    """A page may have pointed its own name here, so there only listed ones get in."""
    assert gets_in(sent(host="bot.example"), local=False)
    assert not gets_in(sent(("Origin", "http://bot.example"), host="bot.example"), local=False)


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
def test_other_machines_behind_a_proxy(header: str) -> None:
    """Who comes through a proxy on this machine is not on this machine. Spec: access/Web pages."""
    assert not gets_in(sent((header, "192.0.2.1")), local=True)
    assert gets_in(sent((header, "192.0.2.1")), local=False)


@pytest.mark.parametrize(
    ("origin", "host", "foreign"),
    [
        ("https://bot.example", "bot.example", False),
        ("https://bot.example", "bot.example:443", False),
        ("https://BOT.example", "bot.example", False),
        ("http://bot.example:8080", "bot.example:8080", False),
        ("http://bot.example:8081", "bot.example:8080", True),
        ("http://bot.example", "bot.example:8080", True),
        ("http://bot.example:x", "bot.example", True),
        ("https://bot.example.evil", "bot.example", True),
        ("data://bot.example", "bot.example", True),
        (LISTED, "bot.example", False),
        (LISTED + ":444", "bot.example", True),
    ],
)
def test_whose_sockets(origin: str, host: str, *, foreign: bool) -> None:
    """A WebSocket is for our own pages and the listed ones. Spec: access/Web pages."""
    request = sent(("Origin", origin), host=host)

    assert is_foreign(request, {LISTED}) == foreign
    if foreign:
        with pytest.raises(web.HTTPForbidden):
            refuse_foreign_sockets(request, {LISTED})
    else:
        refuse_foreign_sockets(request, {LISTED})


def test_programs_name_no_page() -> None:
    """Without `Origin` no browser sent it."""
    assert not is_foreign(sent(), set())
