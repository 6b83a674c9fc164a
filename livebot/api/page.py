"""The page and its assets: files of the package, served as they are, to anybody.

They tell nothing about anybody. What the page shows it asks the API for, with its user's key.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from aiohttp import ETag, hdrs, web

from livebot import web as package
from livebot.api.routes import Access, Route
from livebot.api.services import Services
from livebot.errors import NotFoundError

INDEX = "index.html"

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
"""What is served; other files of the package are not."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data: blob:; media-src 'self' blob:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Whatever gets into a transcript, no script but ours runs and nothing goes anywhere else."""

HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Asked for each time, and sent when it has changed: modules of two versions do not fit.
    hdrs.CACHE_CONTROL: "no-cache",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: its type, what is in it, and a mark that changes with it."""

    content_type: str
    body: bytes
    mark: str


@cache
def assets() -> Mapping[str, Asset]:
    """Return all files by name; reads them the first time."""
    found = {}
    for file in resources.files(package).iterdir():
        stem, dot, ending = file.name.rpartition(".")
        if stem and (content_type := _TYPES.get(dot + ending)):
            body = file.read_bytes()
            found[file.name] = Asset(content_type, body, hashlib.sha256(body).hexdigest()[:32])
    return found


class Page:
    """The routes; none where there is to be no page.

    Args:
        services: What there is.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """Return what to add to the table."""
        if not self._services.page:
            return []
        return [
            Route(
                method="GET",
                path="/",
                handler=self._index,
                access=Access.OPEN,
                summary="Show the page",
                content={200: "text/html"},
                answers={200: None},
            ),
            Route(
                method="GET",
                path="/assets/{name}",
                handler=self._asset,
                access=Access.OPEN,
                summary="Show a part of the page",
                content={200: "application/octet-stream"},
                answers={200: None},
            ),
        ]

    async def _index(self, request: web.Request) -> web.Response:
        return await _answer(request, INDEX)

    async def _asset(self, request: web.Request) -> web.Response:
        return await _answer(request, request.match_info["name"])


async def _answer(request: web.Request, name: str) -> web.Response:
    """Return a file, or that it has not changed.

    Raises:
        NotFoundError: It is none of ours.
    """
    found = (await asyncio.to_thread(assets)).get(name)
    if found is None:
        raise NotFoundError("the page has no such part")
    known = request.if_none_match or ()
    if any(mark.value in (found.mark, "*") for mark in known):
        answer = web.Response(status=304, headers=HEADERS)
    else:
        answer = web.Response(
            body=found.body, content_type=found.content_type, charset="utf-8", headers=HEADERS
        )
    answer.etag = ETag(found.mark)
    return answer
