"""Values to answers."""

import msgspec
from aiohttp import web

_encode = msgspec.json.Encoder().encode


def reply(value: object, *, status: int = 200) -> web.Response:
    """Return an answer in JSON; Talk decodes nothing that is not declared as such."""
    return web.Response(
        body=_encode(value), status=status, content_type="application/json", charset="utf-8"
    )
