"""Errors in the form of another service, so that its clients understand them."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from aiohttp import web

from livebot.api.errors import Handler, errors_to_json
from livebot.api.replies import reply
from livebot.api.schemas import Error
from livebot.errors import LivebotError

_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")

_errors = msgspec.json.Decoder(Error)


class Shape(Protocol):
    """Makes a body and headers of a status, a text, and what was raised, if that was ours."""

    def __call__(
        self, status: int, text: str, cause: LivebotError | None
    ) -> tuple[Any, Mapping[str, str]]:
        """Return them."""


def shaped(handler: Handler, shape: Shape) -> Handler:
    """Return a handler of which all errors have a form.

    Args:
        handler: Answers, or raises.
        shape: The form.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        cause: LivebotError | None = None

        async def note(request: web.Request) -> web.StreamResponse:
            nonlocal cause
            try:
                return await handler(request)
            except LivebotError as exc:
                cause = exc
                raise

        # What its statuses and texts are is decided in one place.
        found = await errors_to_json(request, note)
        if found.status < web.HTTPBadRequest.status_code or not isinstance(found, web.Response):
            return found
        text = _errors.decode(bytes(found.body or b"")).error  # type: ignore[arg-type]
        body, headers = shape(found.status, text, cause)
        other = reply(body, status=found.status)
        other.headers.update(
            {name: found.headers[name] for name in _KEPT if name in found.headers}
        )
        other.headers.update(headers)
        return other

    return answer
