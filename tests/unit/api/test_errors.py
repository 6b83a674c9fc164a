"""Errors to answers."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from livebot.api.errors import errors_to_json
from livebot.errors import (
    BusyError,
    ConfigError,
    EngineError,
    NotFoundError,
    RequestError,
    UnsupportedLanguageError,
)


async def answer_to(exc: BaseException) -> tuple[web.Response, dict[str, Any]]:
    """Return what the caller sees when a handler raises."""

    async def handler(_: web.Request) -> web.StreamResponse:
        raise exc

    answer = await errors_to_json(make_mocked_request("GET", "/"), handler)
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    return answer, json.loads(answer.body)


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (RequestError("it is wrong"), 400),
        (UnsupportedLanguageError("xx", ["en"]), 400),
        (NotFoundError("it is wrong"), 404),
        (BusyError("it is wrong"), 503),
        (web.HTTPNotFound(), 404),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), 405),
        (web.HTTPRequestEntityTooLarge(max_size=1, actual_size=2), 413),
    ],
)
async def test_table(exc: Exception, status: int) -> None:
    """Each fault has its status and says what is wrong. Spec: room-control/Bad requests."""
    answer, body = await answer_to(exc)

    assert answer.status == status
    assert body["error"]


async def test_unsupported_language_has_the_list() -> None:
    """The caller learns what would work. Spec: room-control/Unsupported language."""
    _, body = await answer_to(UnsupportedLanguageError("xx", ["fr", "en"]))

    assert body["supported"] == ["en", "fr"]


async def test_busy_says_when_to_come_back() -> None:
    """A full service invites to try again. Spec: room-control/Limits."""
    answer, _ = await answer_to(BusyError("full"))

    assert int(answer.headers["Retry-After"]) > 0


async def test_allowed_methods_stay() -> None:
    """405 carries what is allowed."""
    answer, _ = await answer_to(web.HTTPMethodNotAllowed("PUT", ["GET"]))

    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    "exc", [EngineError("hunter2"), ConfigError("hunter2"), ZeroDivisionError("hunter2")]
)
async def test_the_rest_is_ours(exc: Exception) -> None:
    """The caller learns no details, the log does."""
    with capture_logs() as logged:
        answer, body = await answer_to(exc)

    assert (answer.status, body) == (500, {"error": "internal error"})
    assert [line["event"] for line in logged] == ["request_failed"]


async def test_cancellation_passes() -> None:
    """A caller that hangs up is no error."""
    with pytest.raises(asyncio.CancelledError):
        await answer_to(asyncio.CancelledError())
