"""Errors to answers."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from livebot.api import errors
from livebot.api.errors import errors_to_json, within_deadline
from livebot.errors import (
    BusyError,
    ConfigError,
    EngineError,
    NextcloudError,
    NotAReaderError,
    NotFoundError,
    QuotaError,
    RequestError,
    TranslationError,
    TranslationUnavailableError,
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
        (NotAReaderError("it is wrong"), 412),
        (QuotaError("it is wrong", retry_in_s=1), 429),
        (BusyError("it is wrong"), 503),
        (NextcloudError("it is wrong"), 503),
        (TranslationError("it is wrong"), 503),
        (TranslationUnavailableError("it is wrong"), 550),
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


@pytest.mark.parametrize(("retry_in_s", "said"), [(0.0, 1), (0.1, 1), (5.0, 5), (5.1, 6)])
async def test_quotas_say_when_there_is_more(retry_in_s: float, said: int) -> None:
    """In whole seconds, and never too early. Spec: room-control/Limits."""
    answer, _ = await answer_to(QuotaError("enough", retry_in_s=retry_in_s))

    assert int(answer.headers["Retry-After"]) == said


async def test_what_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nextcloud gets an answer before it stops waiting. Spec: talk-app/In time."""
    monkeypatch.setattr(errors, "HANDLER_S", 0.01)

    async def handler(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        raise AssertionError

    with capture_logs() as logged, pytest.raises(BusyError, match="try again"):
        await within_deadline([])(make_mocked_request("GET", "/"), handler)
    assert [line["event"] for line in logged] == ["request_took_too_long"]


async def test_a_handlers_own_timeout_is_a_bug() -> None:
    """It is not taken for the deadline."""

    async def handler(_: web.Request) -> web.StreamResponse:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await within_deadline([])(make_mocked_request("GET", "/"), handler)


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
