"""Links that let others read along: made, listed, withdrawn.

A link is a token that opens one call, live session or transcript, to be read, until it expires.
It is told once, to who makes it; only a digest of it is kept.
"""

import re
import secrets
import time
import uuid
from typing import Annotated, Literal

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from livebot import logs
from livebot.api import kept
from livebot.api.auth import caller, scope
from livebot.api.backends import Backends
from livebot.api.bodies import room_token
from livebot.api.downloads import keep_private
from livebot.api.replies import reply
from livebot.api.requests import read_json
from livebot.api.routes import Access, Route
from livebot.api.schemas import Error, Message
from livebot.api.services import Services
from livebot.errors import NotFoundError, QuotaError, RequestError
from livebot.store.records import Share

log = logs.get("api")

PATH = "/api/v1/shares"

DAY_S = 86_400
LEAST_S, MOST_S = 60, 30 * DAY_S

MOST_LINKS = 1000
"""Of one key at once."""

QUOTA_RETRY_S = 60.0

_ID = re.compile(r"[0-9a-f]{32}")


class Wanted(Struct, frozen=True):
    """A link to be made."""

    kind: Literal["room", "live", "transcript"]
    target: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            description="A room's token, or BACKEND/TOKEN; or the id of a session or transcript.",
        ),
    ]
    expires_in_s: Annotated[int, Meta(ge=LEAST_S, le=MOST_S)] = DAY_S


class Shares:
    """The routes.

    Args:
        services: What there is.
        backends: The Nextclouds.
    """

    def __init__(self, services: Services, backends: Backends) -> None:
        self._services = services
        self._backends = backends

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        return [
            Route(
                method="POST",
                path=PATH,
                handler=self._make,
                access=Access.CALLER,
                summary="Make a link by which others read a call, live session or transcript",
                query=self._backends.query,
                body=Wanted,
                answers={200: kept.Link, 404: Error},
            ),
            Route(
                method="GET",
                path=PATH,
                handler=self._list,
                access=Access.CALLER,
                summary="List links that have not expired",
                answers={200: kept.Links},
            ),
            Route(
                method="DELETE",
                path=PATH + "/{share}",
                handler=self._withdraw,
                access=Access.CALLER,
                summary="Withdraw a link",
                answers={200: Message, 404: Error},
            ),
        ]

    async def _make(self, request: web.Request) -> web.Response:
        wanted = _read(await read_json(request))
        store = self._services.need_store()
        target = await self._target(request, wanted)
        if len(await store.shares.list(scope(request))) >= MOST_LINKS:
            raise QuotaError(
                f"{MOST_LINKS} links are open; withdraw some", retry_in_s=QUOTA_RETRY_S
            )
        share = Share(
            id=uuid.uuid4().hex,
            kind=wanted.kind,
            target=target,
            expires_at=time.time() + wanted.expires_in_s,
            owner=scope(request).owner or "",
        )
        token = secrets.token_urlsafe(32)
        await store.shares.add(share, token)
        log.info("share_made", kind=share.kind, caller=caller(request).name)
        answer = reply(kept.link(share, token=token))
        keep_private(answer)
        return answer

    async def _list(self, request: web.Request) -> web.Response:
        found = await self._services.need_store().shares.list(scope(request))
        return reply(kept.Links([kept.link(share) for share in found]))

    async def _withdraw(self, request: web.Request) -> web.Response:
        ident = request.match_info["share"]
        if not _ID.fullmatch(ident):
            raise NotFoundError("there is no such link")
        await self._services.need_store().shares.withdraw(ident, scope(request))
        log.info("share_withdrawn", caller=caller(request).name)
        return reply(Message("The link opens nothing any more"))

    async def _target(self, request: web.Request, wanted: Wanted) -> str:
        """Return what a link is of, which the caller must be allowed to see.

        Raises:
            NotFoundError: There is no such thing, or it is not the caller's.
            RequestError: It is nothing of this kind.
        """
        if wanted.kind == "room":
            return self._room(request, wanted.target)
        if not _ID.fullmatch(wanted.target):
            raise NotFoundError(f"there is no such {wanted.kind}")
        store = self._services.need_store()
        if wanted.kind == "transcript":
            await store.transcripts.get(wanted.target, scope(request))
            return wanted.target
        record = await store.live.get(wanted.target)
        if record is None or record.owner != scope(request).owner:
            raise NotFoundError("there is no such live session")
        return wanted.target

    def _room(self, request: web.Request, target: str) -> str:
        backend, slash, token = target.rpartition("/")
        room_token(token)
        if not slash:
            return f"{self._backends.of(request).name}/{token}"
        if backend not in {its.name for its in self._backends.visible(request)}:
            raise RequestError("target: this backend is not yours or not here")
        return target


def _read(body: bytes) -> Wanted:
    """Read a body.

    Raises:
        RequestError: It is not such a one.
    """
    try:
        return msgspec.json.decode(body, type=Wanted)
    except msgspec.ValidationError:
        raise RequestError(
            "the body must be an object with kind (room, live or transcript), target, and"
            f" expires_in_s ({LEAST_S} to {MOST_S}) if it is not to be a day"
        ) from None
    except (ValueError, RecursionError):
        raise RequestError("the body is not JSON") from None
