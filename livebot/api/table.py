"""The table of all routes."""

from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from livebot import __version__
from livebot.api import openapi
from livebot.api.auth import caller
from livebot.api.backends import Backends
from livebot.api.calls import Calls
from livebot.api.deepgram import Deepgram
from livebot.api.events import Events
from livebot.api.exapp import ExApp
from livebot.api.jobs import Jobs
from livebot.api.languages import Languages
from livebot.api.live import Live
from livebot.api.openai import OpenAI
from livebot.api.ops import Ops
from livebot.api.page import Page
from livebot.api.plots import Plots
from livebot.api.realtime import Realtime
from livebot.api.routes import Access, Route
from livebot.api.services import Services
from livebot.api.shares import Shares
from livebot.api.talk import Talk
from livebot.api.tickets import TicketOffice
from livebot.api.transcripts import Transcripts
from livebot.metrics import Metrics


def all_routes(
    backends: Backends, metrics: Metrics, services: Services | None = None
) -> list[Route]:
    """Return everything that is served, the document about it included.

    Args:
        backends: The Nextclouds.
        metrics: What is counted.
        services: What there is besides captions in calls.
    """
    services = services or Services()
    about: list[bytes] = []
    routes = [
        *(Calls(backends).routes() if services.calls else ()),
        *(Talk(backends).routes() if services.calls else ()),
        *Languages(services, backends).routes(),
        *ExApp(backends).routes(),
        *Ops(backends, metrics, services.troubles).routes(),
        *Jobs(services).routes(),
        *Plots(services).routes(),
        *OpenAI(services).routes(),
        *Live(services).routes(),
        *Deepgram(services).routes(),
        *Realtime(services).routes(),
        *Transcripts(services, backends).routes(),
        *Events(services, backends).routes(),
        *Shares(services, backends).routes(),
        *Page(services).routes(),
        *TicketOffice(services.tickets, caller).routes(),
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
