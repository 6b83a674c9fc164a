"""Errors as OpenAI's clients know them (pure)."""

from collections.abc import Mapping
from http import HTTPStatus

from msgspec import Struct

from livebot.errors import LivebotError, NotFoundError, RequestError

_KINDS = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}


class OpenAIFault(Struct, frozen=True):
    """What went wrong: a text for people, the rest for programs."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class OpenAIError(Struct, frozen=True):
    """The body of an error."""

    error: OpenAIFault


class FieldError(RequestError):
    """A field of a form cannot be as it is.

    Args:
        message: Why, and what it can be.
        param: The field.
    """

    code = "invalid_value"

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


class UnknownModelError(NotFoundError):
    """There is no such model."""

    code = "model_not_found"
    param = "model"

    def __init__(self) -> None:
        super().__init__("there is no such model here; GET /v1/models lists them")


def shape(
    status: int, text: str, cause: LivebotError | None = None
) -> tuple[OpenAIError, Mapping[str, str]]:
    """Return the body of an error, and headers.

    Args:
        status: Of the answer.
        text: What went wrong.
        cause: What was raised; None where it was nothing of ours.
    """
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = _KINDS.get(HTTPStatus(status), "server_error" if is_ours else "invalid_request_error")
    known = cause if isinstance(cause, FieldError | UnknownModelError) else None
    param, code = (known.param, known.code) if known else (None, None)
    return OpenAIError(OpenAIFault(text, kind, param, code)), {}
