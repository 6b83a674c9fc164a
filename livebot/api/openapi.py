"""The API as an OpenAPI 3.1 document, made of the table of routes."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from livebot.api.routes import Access, Route
from livebot.api.schemas import Error

_SCHEMAS = "#/components/schemas/{name}"

_PARAMETERS: dict[str, dict[str, Any]] = {
    "roomToken": {"type": "string", "pattern": "^[a-z0-9]{4,30}$"},
    "backend": {"type": "string", "pattern": "^[a-z0-9-]{1,32}$"},
    "enabled": {"type": "string", "enum": ["1", "0", "true", "false"]},
    "after": {"type": "integer", "minimum": 0},
    "limit": {"type": "integer", "minimum": 1, "maximum": 1000},
}
_TEXT: dict[str, Any] = {"type": "string"}

_FORM = "multipart/form-data"
_FORM_FIELDS: dict[str, dict[str, Any]] = {
    "binary": {"type": "string", "contentMediaType": "application/octet-stream"}
}

_PARAMETER = re.compile(r"\{(\w+)\}")

_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.OPEN: [],
    Access.OBSERVER: [{}, {"key": []}],
    Access.CALLER: [{"key": []}, {"nextcloud": []}],
    Access.SHARED: [{"key": []}, {"nextcloud": []}, {"share": []}],
    Access.LIVE: [{"key": []}, {"nextcloud": []}, {"ticket": []}],
    Access.APP: [{"nextcloud": []}],
}

_SCHEMES: dict[str, Any] = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of LT_API_KEYS."},
    "nextcloud": {
        "type": "apiKey",
        "in": "header",
        "name": "AUTHORIZATION-APP-API",
        "description": "With the other headers of AppAPI, where livebot is Nextcloud's app.",
    },
    "share": {
        "type": "apiKey",
        "in": "header",
        "name": "Livebot-Share",
        "description": "The token of a link to what is asked for.",
    },
    "ticket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "Of POST /api/v1/tickets; opens one connection.",
    },
}

_ALWAYS = (400, 403, 408, 413, 429, 500, 503)
"""What the server, or the guard in front of a handler, may answer to anything."""

_STATUS_TEXT = {550: "There is no translator"}

_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_RETRIED = frozenset({429, 503})


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the document about these routes."""
    kinds = {_key(kind): kind for kind in _kinds(routes)}
    schemas, components = msgspec.json.schema_components(kinds.values(), ref_template=_SCHEMAS)
    known = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "livebot",
            "version": version,
            "description": "Live captions for Nextcloud Talk calls.",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def _kinds(routes: Iterable[Route]) -> list[Any]:
    """Return the types of all bodies."""
    found: list[Any] = [Error]
    for route in routes:
        found += [kind for kind in (route.body, *route.answers.values()) if kind is not None]
    return found


def _key(kind: Any) -> str:
    """Return what tells types apart; equal generic ones are different objects."""
    return str(kind)


def _operation(route: Route, known: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": route.summary,
        "description": f"Who may: {route.access.value}.",
        "operationId": _name(route),
        "security": _SECURITY[route.access],
        "parameters": _parameters(route),
        "responses": _responses(route, known),
    }
    if route.body is not None:
        content = {"application/json": {"schema": known[_key(route.body)]}}
        found["requestBody"] = {"required": True, "content": content}
    elif route.form:
        content = {_FORM: {"schema": _form(route.form)}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _schema(parameter: str) -> dict[str, Any]:
    return _PARAMETERS.get(parameter, _TEXT)


def _form(fields: dict[str, str]) -> dict[str, Any]:
    """Return the schema of a form; its files are required."""
    kinds = {name: _FORM_FIELDS.get(kind, {"type": kind}) for name, kind in fields.items()}
    required = [name for name, kind in fields.items() if kind == "binary"]
    return {"type": "object", "properties": kinds, "required": required}


def _name(route: Route) -> str:
    words = re.findall(r"\w+", route.path)
    return "_".join([route.method.lower(), *words])


def _parameters(route: Route) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": _schema(name)}
        for name in _PARAMETER.findall(route.path)
    ]
    in_query = [
        {"name": name, "in": "query", "required": required, "schema": _schema(name)}
        for name, required in route.query.items()
    ]
    return in_path + in_query


def _responses(route: Route, known: dict[str, Any]) -> dict[str, Any]:
    usual = _ALWAYS if route.access is Access.OPEN else (401, *_ALWAYS)
    if _PARAMETER.search(route.path):
        usual = (*usual, 404)  # what it names may not be there
    kinds = dict.fromkeys(usual, Error) | route.answers
    found = {str(status): _response(status, kinds[status], known) for status in kinds}
    for status, content in route.content.items():
        described = {"description": HTTPStatus(status).phrase, "content": {content: {}}}
        found[str(status)] = described
    return dict(sorted(found.items()))


def _response(status: int, kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _STATUS_TEXT.get(status) or HTTPStatus(status).phrase}
    if kind is None:
        found["content"] = {"text/plain": {"schema": {"type": "string"}}}
    else:
        found["content"] = {"application/json": {"schema": known[_key(kind)]}}
    if status in _RETRIED and kind is Error:
        found["headers"] = _RETRY_AFTER
    return found
