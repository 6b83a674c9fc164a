"""What a web server can do to who asks it, other than answer."""

import asyncio
import gzip

from aiohttp import web

FAULTS = frozenset(
    {
        "hang",
        "error",
        "busy",
        "garbage",
        "nested",
        "huge",
        "zipped",
        "redirect",
        "trickle",
        "close",
    }
)

ZIPPED = gzip.compress(b" " * 50_000_000)
"""Fifty megabytes in fifty kilobytes."""


async def spoil(fault: str, request: web.Request, redirect_to: str) -> web.StreamResponse:
    """Answer a request with a fault.

    Args:
        fault: One of `FAULTS`.
        request: Is not read.
        redirect_to: Where `redirect` points.
    """
    assert fault in FAULTS, fault
    at_once = {
        "error": web.Response(status=500, text="Internal Server Error"),
        "busy": web.Response(status=503, headers={"Retry-After": "120"}),
        "garbage": web.Response(text="<html>Log in</html>", content_type="text/html"),
        "nested": web.Response(text="[" * 200_000, content_type="application/json"),
        "zipped": web.Response(body=ZIPPED, headers={"Content-Encoding": "gzip"}),
        "redirect": web.Response(status=307, headers={"Location": redirect_to}),
    }
    if fault in at_once:
        return at_once[fault]
    if fault == "hang":
        await asyncio.Event().wait()
    return await _spoil_slowly(fault, request)


async def _spoil_slowly(fault: str, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "application/json"
    await response.prepare(request)
    if fault == "close" and request.transport:
        await response.write(b'{"ocs":')
        request.transport.abort()
        return response
    piece, pause_s = (b" " * 65_536, 0.0) if fault != "trickle" else (b" ", 0.05)
    while True:
        await response.write(piece)
        await asyncio.sleep(pause_s)
