"""Bearer keys: who gets in, and where."""

from typing import Any, TypeAlias

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp.typedefs import Middleware
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from livebot.api.auth import caller, require_key
from livebot.settings import load_settings

KEY = "0123456789abcdef"
CALLS = "/api/v1/call/transcribe"
ALWAYS_OPEN = ["/healthz", "/readyz"]

SETTINGS: dict[str, dict[str, Any]] = {
    "at home": {"host": "127.0.0.1"},
    "open": {"host": "0.0.0.0", "allow_anonymous": True},
    "keyed": {"host": "0.0.0.0", "api_keys": f"ops:{KEY},web:{KEY[::-1]}"},
    "keyed at home": {"host": "127.0.0.1", "api_keys": f"ops:{KEY}"},
    "unguarded": {"host": "0.0.0.0"},
}

Guards: TypeAlias = dict[str, Middleware]


@pytest.fixture(scope="module")
def guards() -> Guards:
    """Return the middleware for each way to run the service."""
    return {name: require_key(load_settings(**given)) for name, given in SETTINGS.items()}


async def enter(
    guard: Middleware, path: str, header: str | None = None, **more: str
) -> str | None:
    """Return as whom the request gets in, None where it does not; `more` are further headers."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=caller(request))

    headers = {"Host": "127.0.0.1:8080"} | more
    if header is not None:
        headers["Authorization"] = header
    request = make_mocked_request("GET", path, headers=headers)
    try:
        answer = await guard(request, handler)
    except (web.HTTPUnauthorized, web.HTTPForbidden):
        return None
    assert isinstance(answer, web.Response)
    return answer.text


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        ("at home", CALLS, "anonymous"),
        ("open", CALLS, "anonymous"),
        ("keyed", CALLS, None),
        ("keyed", "/metrics", None),
        ("keyed", "/no/such/path", None),
        ("keyed at home", CALLS, None),
        ("keyed at home", "/metrics", "anonymous"),
        ("unguarded", CALLS, None),
        ("unguarded", "/metrics", None),
        *[(kind, path, "anonymous") for kind in ("keyed", "unguarded") for path in ALWAYS_OPEN],
    ],
)
async def test_without_a_key(guards: Guards, kind: str, path: str, name: str | None) -> None:
    """Who shows no key gets in where none is needed only. Spec: room-control/Keys."""
    assert await enter(guards[kind], path) == name


async def test_each_key_has_a_name(guards: Guards) -> None:
    """The right key opens everything, and its name is known. Spec: room-control/Keys."""
    assert await enter(guards["keyed"], CALLS, f"Bearer {KEY}") == "ops"
    assert await enter(guards["keyed"], "/metrics", f"bearer {KEY[::-1]}") == "web"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
async def test_nothing_else_opens(guards: Guards, shown: str) -> None:
    """No other header gets in, whatever characters it has."""
    for header in (shown, f"Bearer {shown}", f"Basic {KEY}", f"Bearer {KEY}{shown}x"):
        assert await enter(guards["keyed"], CALLS, header) is None


async def test_refused_key_is_not_logged(guards: Guards) -> None:
    """A wrong key may be somebody's right one. Spec: observability/Privacy."""
    with capture_logs() as logged:
        await enter(guards["keyed"], CALLS, "Bearer hunter2")

    assert [line["event"] for line in logged] == ["caller_refused"]
    assert "hunter2" not in str(logged)


@pytest.mark.parametrize("path", [CALLS, "/metrics", "/api/v1/languages"])
@pytest.mark.parametrize(
    "page",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example:8080"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[::1"},
        {"Host": ""},
    ],
)
async def test_web_pages_do_not_get_in(guards: Guards, path: str, page: dict[str, str]) -> None:
    """A page in the administrator's browser must not start captions, nor read who talks.

    Spec: room-control/Keys
    """
    assert await enter(guards["at home"], path, **page) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:8080", "127.0.0.2:1"])
async def test_this_machine_gets_in_by_all_its_names(guards: Guards, host: str) -> None:
    """Programs on this machine need no key."""
    assert await enter(guards["at home"], CALLS, Host=host) == "anonymous"


async def test_pages_of_an_open_service(guards: Guards) -> None:
    """Its names are not known, but pages of others betray themselves; keys let anybody in."""
    assert await enter(guards["open"], CALLS, Host="bot.example") == "anonymous"
    assert await enter(guards["open"], CALLS, Origin="http://evil.example") is None
    assert await enter(guards["keyed"], CALLS, f"Bearer {KEY}", Origin="http://a.b") == "ops"
