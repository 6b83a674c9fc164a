"""Nextcloud's OCS answers: an envelope with a status of its own around the data (pure).

Version 1 of the interface answers 200 whatever happened and says the rest in the envelope;
version 2 says the same in both places.
"""

from http import HTTPStatus
from typing import Any

import msgspec

from livebot.errors import NextcloudError

_OK = frozenset({100, 200})
_FAULTS = {
    996: HTTPStatus.INTERNAL_SERVER_ERROR,
    997: HTTPStatus.UNAUTHORIZED,
    998: HTTPStatus.NOT_FOUND,
}
"""Statuses of version 1 that are none of HTTP's."""

_CURES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check that APP_ID, APP_SECRET and APP_VERSION are those of"
    " `occ app_api:app:list`, and that the app is enabled.",
    HTTPStatus.FORBIDDEN: "Check that the app is registered with AppAPI under the id"
    " live_transcription, and enabled.",
    HTTPStatus.NOT_FOUND: "Check NEXTCLOUD_URL, and that the apps Talk and AppAPI are enabled.",
    HTTPStatus.TOO_MANY_REQUESTS: "It slows this address down; wait a few minutes.",
    HTTPStatus.SERVICE_UNAVAILABLE: "It may be in maintenance mode.",
}
_CURE = "Its log tells more."
_REDIRECT = (
    "It points to another address, which is not followed. Set NEXTCLOUD_URL to the address under"
    " which Nextcloud itself answers."
)


class AnswerError(NextcloudError):
    """Nextcloud answered, but not what was wanted.

    Args:
        status: HTTP's status, or what it would be.
    """

    def __init__(self, status: int) -> None:
        self.status = status
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
        cure = _REDIRECT if is_redirect else _CURES.get(status, _CURE)
        super().__init__(f"Nextcloud answered {status}. {cure}")

    @property
    def is_passing(self) -> bool:
        """Whether asking again soon may help."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_unknown(self) -> bool:
        """Whether there is no such thing to ask, or to ask about."""
        return self.status == HTTPStatus.NOT_FOUND

    @property
    def has_no_provider(self) -> bool:
        """Whether nobody in Nextcloud does what was asked for."""
        return self.status == HTTPStatus.PRECONDITION_FAILED

    @property
    def is_refusal(self) -> bool:
        """Whether it does not know us: asking often makes it slow down this whole address."""
        return self.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class _Meta(msgspec.Struct):
    statuscode: int = 200


class _Ocs(msgspec.Struct):
    meta: _Meta
    data: Any = None


class _Envelope(msgspec.Struct):
    ocs: _Ocs


_DECODER = msgspec.json.Decoder(_Envelope)


def data_of(status: int, body: bytes) -> object:
    """Return what an answer carries.

    Raises:
        AnswerError: It says that something went wrong.
        NextcloudError: It is no answer of Nextcloud's.
    """
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise AnswerError(status)
    try:
        found = _DECODER.decode(body).ocs
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Without the cause, which may quote the answer.
        raise NextcloudError(
            "Nextcloud's answer is not OCS. Check that NEXTCLOUD_URL is Nextcloud's address, and"
            " no proxy's page."
        ) from None
    if found.meta.statuscode not in _OK:
        raise AnswerError(_FAULTS.get(found.meta.statuscode, found.meta.statuscode))
    return found.data
