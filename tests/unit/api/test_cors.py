"""Pages of other origins: what their browsers are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from livebot.api.cors import allow_origins
from livebot.api.errors import Handler

LISTED = "https://cloud.example"
EVIL = "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}


@asynccontextmanager
async def client(*origins: str) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """Serve one path, and let nobody in without a key."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        del request, handler
        raise web.HTTPUnauthorized

    app = web.Application(middlewares=[guard])
    allow_origins(app, origins)
    async with TestClient(TestServer(app)) as found:
        yield found


def told(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Return what an answer says about origins."""
    return {
        name.lower(): value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-") or name.lower() == "vary"
    }


@pytest.mark.parametrize("headers", [{}, PREFLIGHT])
async def test_off_by_default(headers: dict[str, str]) -> None:
    """Nothing is said, so browsers let no page read anything. Spec: access/Other origins."""
    async with client() as http:
        for method in ("GET", "OPTIONS"):
            async with http.request(method, "/", headers={"Origin": LISTED, **headers}) as answer:
                assert (answer.status, told(answer)) == (401, {})


async def test_preflight_of_a_listed_page() -> None:
    """Before it may show its key, its browser asks without. Spec: access/Other origins."""
    async with (
        client(LISTED) as http,
        http.options("/", headers={"Origin": LISTED, **PREFLIGHT}) as answer,
    ):
        assert answer.status == 204
        found = told(answer)

    assert found["access-control-allow-origin"] == LISTED
    assert "Authorization" in found["access-control-allow-headers"]
    assert "DELETE" in found["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in found
    assert found["vary"] == "Origin"


@pytest.mark.parametrize("origin", [EVIL, "null", LISTED + ":8443", "HTTPS://CLOUD.EXAMPLE", "*"])
async def test_others(origin: str) -> None:
    """Only exactly what is listed counts. Spec: access/Other origins."""
    async with client(LISTED) as http:
        for method in ("GET", "OPTIONS"):
            async with http.request(
                method, "/", headers={"Origin": origin, **PREFLIGHT}
            ) as answer:
                assert (answer.status, told(answer)) == (401, {"vary": "Origin"})


async def test_errors_can_be_read_too() -> None:
    """A listed page sees why it was refused, and when to come back."""
    async with client(LISTED) as http, http.get("/", headers={"Origin": LISTED}) as answer:
        found = told(answer)

    assert answer.status == 401
    assert found["access-control-allow-origin"] == LISTED
    assert "Retry-After" in found["access-control-expose-headers"]


async def test_an_options_request_that_is_no_preflight() -> None:
    """It is a request like any other."""
    async with client(LISTED) as http, http.options("/", headers={"Origin": LISTED}) as answer:
        assert answer.status == 401
