"""The document about the API."""

import re
from typing import Any

import pytest
from aiohttp import web

from livebot.api import openapi
from livebot.api.backends import Backends
from livebot.api.routes import Access, Route
from livebot.api.table import all_routes
from livebot.metrics import Metrics
from livebot.settings import load_settings
from tests.support.fake_rooms import FakeApp, FakeRooms

SETTINGS = load_settings(api_keys=())
TWO = Backends(
    {"one": FakeRooms(), "two": FakeRooms()},
    dict.fromkeys(("one", "two"), SETTINGS),
    {"one": FakeApp(), "two": FakeApp()},
)
ROUTES = all_routes(TWO, Metrics())
DOCUMENT = openapi.document(ROUTES, "1.2.3")


async def _nothing(_: web.Request) -> web.StreamResponse:
    return web.Response()


def operation(route: Route) -> dict[str, Any]:
    """Return what the document says of a route."""
    found: dict[str, Any] = DOCUMENT["paths"][route.path][route.method.lower()]
    return found


def references(value: object) -> set[str]:
    """Return all schemas that are referred to."""
    return set(re.findall(r"'#/components/schemas/(\w+)'", str(value)))


def test_every_route_is_in_the_document() -> None:
    """And nothing else is. Spec: room-control/OpenAPI."""
    told = {(method.upper(), path) for path, its in DOCUMENT["paths"].items() for method in its}

    assert told == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_an_operation_tells_what_its_route_says(route: Route) -> None:
    """Statuses, parameters, body, and who may. Spec: room-control/OpenAPI."""
    found = operation(route)

    assert {*map(str, route.answers), "400", "429", "503"} <= set(found["responses"])
    named = {parameter["name"] for parameter in found["parameters"]}
    assert named == {*route.query, *re.findall(r"{(\w+)}", route.path)}
    assert ("requestBody" in found) == (route.body is not None or bool(route.form))
    assert ("401" in found["responses"]) == (route.access is not Access.OPEN)
    assert bool(found["security"]) == (route.access is not Access.OPEN)


def test_a_form_tells_its_fields_and_which_are_files() -> None:
    """A file is required, and the rest is not. Spec: room-control/OpenAPI."""
    route = Route(
        method="POST",
        path="/give",
        handler=_nothing,
        access=Access.CALLER,
        summary="Give",
        form={"file": "binary", "diarize": "boolean"},
        content={200: "text/event-stream"},
    )

    found = openapi.document([route], "1")["paths"]["/give"]["post"]

    schema = found["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["required"] == ["file"]
    assert schema["properties"]["diarize"] == {"type": "boolean"}
    assert "text/event-stream" in found["responses"]["200"]["content"]


def test_what_is_referred_to_is_there() -> None:
    """A reader of the document finds every schema, and none that nothing uses."""
    assert references(DOCUMENT) == set(DOCUMENT["components"]["schemas"])


def test_names_are_unique() -> None:
    """Programs are made of the document, with a function per operation."""
    names = [operation(route)["operationId"] for route in ROUTES]

    assert len(set(names)) == len(names)


def test_bodies_are_told_as_they_are_read() -> None:
    """Names and patterns of the wire. Spec: room-control/OpenAPI."""
    body = DOCUMENT["components"]["schemas"]["Transcribe"]

    assert body["required"] == ["roomToken"]
    assert body["properties"]["roomToken"]["pattern"] == "^[a-z0-9]{4,30}$"
    assert {"ncSessionId", "langId", "languageId", "turnServers"} <= set(body["properties"])


def test_one_backend_is_not_asked_for() -> None:
    """Only where there are several is there something to choose. Spec: room-control/Backends."""
    one = all_routes(Backends({"one": FakeRooms()}, {"one": SETTINGS}), Metrics())

    assert "backend" in str(DOCUMENT["paths"])
    assert "backend" not in str(openapi.document(one, "1.2.3")["paths"])
