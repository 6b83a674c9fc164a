"""The table of all routes."""

from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from livebot import __version__
from livebot.api import openapi
from livebot.api.backends import Backends
from livebot.api.calls import Calls
from livebot.api.exapp import ExApp
from livebot.api.ops import Ops
from livebot.api.routes import Access, Route
from livebot.api.talk import Talk
from livebot.metrics import Metrics


def all_routes(backends: Backends, metrics: Metrics) -> list[Route]:
    """Return everything that is served, the document about it included.

    Args:
        backends: The Nextclouds.
        metrics: What is counted.
    """
    about: list[bytes] = []
    routes = [
        *Calls(backends).routes(),
        *Talk(backends).routes(),
        *ExApp(backends).routes(),
        *Ops(backends, metrics).routes(),
        Route(
            method="GET",
            path="/openapi.json",
            handler=partial(_show, about),
            access=Access.CALLER,
            summary="Describe this API",
            answers={200: dict[str, Any]},
        ),
    ]
    about.append(msgspec.json.encode(openapi.document(routes, __version__)))
    return routes


async def _show(about: list[bytes], _: web.Request) -> web.Response:
    return web.Response(body=about[0], content_type="application/json", charset="utf-8")
