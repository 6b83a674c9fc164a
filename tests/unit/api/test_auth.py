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


async def enter(guard: Middleware, path: str, header: str | None = None) -> str | None:
    """Return as whom the request gets in, None where it does not."""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=caller(request))

    headers = {} if header is None else {"Authorization": header}
    request = make_mocked_request("GET", path, headers=headers)
    try:
        answer = await guard(request, handler)
    except web.HTTPUnauthorized:
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
