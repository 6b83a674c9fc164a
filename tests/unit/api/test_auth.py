"""Who gets in, and where."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp.typedefs import Middleware
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from livebot.api.auth import guard
from livebot.api.callers import ANONYMOUS, Caller
from livebot.api.limits import FAILURES_PER_MINUTE
from livebot.errors import QuotaError
from livebot.settings import load_settings
from tests.support.asking import CALLS, ROUTES, app_api, ask, bearer

KEY = "0123456789abcdef"
SECRET = "s3cret-of-the-app"

APP = {"app_id": "live_transcription", "app_secret": SECRET}
EVERYWHERE: dict[str, Any] = {"host": "0.0.0.0"}
AT_HOME: dict[str, Any] = {"host": "127.0.0.1"}
KEYED = EVERYWHERE | {"api_keys": f"ops:{KEY},web:{KEY[::-1]}"}
TWO = EVERYWHERE | {
    "api_keys": f"ops:{KEY}",
    "app_id": "live_transcription",
    "backends": json.dumps(
        [
            {"name": "a", "APP_SECRET": "secret-of-a", "LT_API_KEYS": f"ann:{KEY[::-1]}"},
            {"name": "b", "APP_SECRET": "secret-of-b"},
        ]
    ),
}


async def door(**given: Any) -> Middleware:
    """Return the guard of a service with these settings."""
    return guard(await asyncio.to_thread(lambda: load_settings(**given)), ROUTES)


@pytest.mark.parametrize(
    ("settings", "path", "outcome"),
    [
        (AT_HOME, CALLS, ANONYMOUS),
        (EVERYWHERE | {"allow_anonymous": True}, CALLS, ANONYMOUS),
        (EVERYWHERE | {"allow_anonymous": True}, "/enabled", 401),
        (AT_HOME, "/enabled", 401),
        (KEYED, CALLS, 401),
        (KEYED, "/metrics", 401),
        (KEYED, "/no/such/path", 401),
        (KEYED | {"open_metrics": True}, "/metrics", ANONYMOUS),
        (KEYED | {"open_metrics": True}, CALLS, 401),
        (KEYED | AT_HOME, CALLS, 401),
        (KEYED | AT_HOME, "/metrics", ANONYMOUS),
        (EVERYWHERE, CALLS, 401),
        (EVERYWHERE, "/metrics", 401),
        (AT_HOME | APP, CALLS, 401),
        (AT_HOME | APP, "/metrics", 401),
        *[(settings, "/healthz", ANONYMOUS) for settings in (AT_HOME, EVERYWHERE, KEYED)],
    ],
)
async def test_without_credentials(
    settings: dict[str, Any], path: str, outcome: Caller | int
) -> None:
    """Who shows nothing gets in where nothing is needed only. Spec: access/Callers."""
    assert await ask(await door(**settings), "GET", path) == outcome


async def test_each_key_has_a_name() -> None:
    """The right key opens calls and figures, and its name is known. Spec: access/Callers."""
    keyed = await door(**KEYED)

    assert await ask(keyed, "GET", CALLS, bearer(KEY)) == Caller("ops", None)
    lower = {"authorization": f"bearer {KEY[::-1]}"}
    assert await ask(keyed, "GET", "/metrics", lower) == Caller("web", None)
    assert await ask(keyed, "HEAD", "/healthz", lower) == ANONYMOUS


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_no_key_begins_or_ends_the_app(method: str) -> None:
    """That is Nextcloud's alone, even where a caller adds its headers. Spec: access/App."""
    both = await door(**KEYED, **APP)

    assert await ask(both, method, "/enabled", bearer(KEY)) == 401
    mixed = app_api("wrong") | bearer(KEY)
    assert await ask(both, method, "/enabled", mixed) == 401


async def test_nextcloud_may_do_all() -> None:
    """Its headers open calls and the app's life. Spec: access/App."""
    app = await door(**EVERYWHERE, **APP)
    nextcloud = Caller("nextcloud", "default")

    assert await ask(app, "GET", CALLS, app_api(SECRET)) == nextcloud
    assert await ask(app, "GET", CALLS, app_api(SECRET, user="")) == nextcloud
    assert await ask(app, "GET", "/enabled", app_api(SECRET)) == nextcloud
    assert await ask(app, "PUT", "/enabled?enabled=1", app_api(SECRET)) == nextcloud


async def test_credentials_of_one_backend_are_of_no_other() -> None:
    """A backend's own key and secret stand for it alone. Spec: access/Backends."""
    two = await door(**TWO)

    assert await ask(two, "GET", CALLS, bearer(KEY)) == Caller("ops", None)
    assert await ask(two, "GET", CALLS, bearer(KEY[::-1])) == Caller("ann", "a")
    for name in ("a", "b"):
        found = await ask(two, "GET", CALLS, app_api(f"secret-of-{name}"))
        assert found == Caller("nextcloud", name)


async def test_a_wrong_credential_is_not_overlooked() -> None:
    """Who means to be somebody is told that they are not, where strangers may call too."""
    both = await door(**KEYED, allow_anonymous=True)

    assert await ask(both, "GET", CALLS) == ANONYMOUS
    assert await ask(both, "GET", CALLS, bearer("wrong")) == 401
    assert await ask(both, "GET", CALLS, app_api("wrong")) == 401
    assert await ask(await door(**AT_HOME), "GET", CALLS, bearer("any")) == ANONYMOUS


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
async def test_nothing_else_opens(shown: str) -> None:
    """No other header gets in, whatever characters it has. Spec: access/Callers."""
    keyed = await door(**KEYED)
    for header in (shown, f"Bearer {shown}", f"Basic {KEY}", f"Bearer {KEY}{shown}x"):
        assert await ask(keyed, "GET", CALLS, {"Authorization": header}) == 401


async def test_nextcloud_may_say_the_same_again() -> None:
    """AppAPI's command line has one request id for all it does. Spec: access/App."""
    app = await door(**EVERYWHERE, **APP)
    nextcloud = Caller("nextcloud", "default")

    for path in ("/enabled?enabled=0", "/enabled?enabled=1") * 2:
        headers = app_api(SECRET, request_id="CLI")
        assert await ask(app, "PUT", path, headers) == nextcloud


async def test_what_was_shown_is_not_logged() -> None:
    """A wrong key may be somebody's right one. Spec: observability/Privacy."""
    with capture_logs() as logged:
        await ask(await door(**KEYED), "GET", CALLS, bearer("hunter2"))

    assert [line["event"] for line in logged] == ["caller_refused"]
    assert "hunter2" not in str(logged)


async def test_guessing_is_slow_and_keeps_nobody_out() -> None:
    """Many wrong keys from one address: no more is told or logged. Spec: access/Guessing."""
    keyed = await door(**KEYED)
    with capture_logs() as logged:
        for _ in range(FAILURES_PER_MINUTE):
            assert await ask(keyed, "GET", CALLS, bearer("wrong")) == 401
        with pytest.raises(QuotaError) as refused:
            await ask(keyed, "GET", CALLS, bearer("wrong"))

    assert refused.value.retry_in_s >= 1
    assert len(logged) == FAILURES_PER_MINUTE
    assert await ask(keyed, "GET", CALLS, bearer(KEY)) == Caller("ops", None)


async def test_a_caller_has_its_share_of_requests() -> None:
    """Beyond it there is a pause, for this caller only. Spec: access/Requests per minute."""
    few = await door(**KEYED, requests_per_minute=3)
    for _ in range(3):
        await ask(few, "GET", CALLS, bearer(KEY))

    with pytest.raises(QuotaError, match="3 requests per minute"):
        await ask(few, "GET", CALLS, bearer(KEY))
    assert await ask(few, "GET", CALLS, bearer(KEY[::-1])) == Caller("web", None)
    for _ in range(10):
        assert await ask(few, "GET", "/healthz", bearer(KEY)) == ANONYMOUS


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, Caller("ops", None)),
        ({"Origin": "http://127.0.0.1:8080"}, Caller("ops", None)),
        ({"Origin": "https://listed.example"}, Caller("ops", None)),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_pages_that_open_sockets(headers: dict[str, str], outcome: Caller | int) -> None:
    """Keys do not help against pages that know one, but say so. Spec: access/Web pages."""
    keyed = await door(**KEYED, cors_origins="https://listed.example")
    sent = bearer(KEY) | {"Upgrade": "websocket", "Connection": "Upgrade"} | headers

    assert await ask(keyed, "GET", CALLS, sent) == outcome


async def test_what_is_served_beside_the_table_is_nobodys() -> None:
    """A route that somebody forgot to write into the table stays shut. Spec: access/Callers."""
    settings = await asyncio.to_thread(lambda: load_settings(**KEYED))
    forgotten = guard(settings, [r for r in ROUTES if r.method != "DELETE"])

    assert await ask(forgotten, "DELETE", f"{CALLS}/abcd1234", bearer(KEY)) == 401
    assert await ask(await door(**KEYED), "DELETE", f"{CALLS}/abcd1234", bearer(KEY)) == Caller(
        "ops", None
    )


@pytest.mark.parametrize(
    ("path", "outcome"), [("/healthz", ANONYMOUS), ("/metrics", 401), (CALLS, 401)]
)
async def test_wrong_methods(path: str, outcome: Caller | int) -> None:
    """Only of open paths anybody may learn which methods they have. Spec: access/Callers."""
    assert await ask(await door(**KEYED), "PATCH", path) == outcome
