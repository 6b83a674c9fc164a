"""Server-sent events: what is told as it happens, in an answer that goes on.

Who reads slowly holds up only itself: the next message is asked for when the one before is
written, and `Connections` ends whoever takes nothing for a while. So sources keep a place for
each reader, not a queue.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import msgspec
from aiohttp import hdrs, web

from livebot import logs
from livebot.errors import LivebotError

log = logs.get("api")

CONTENT_TYPE = "text/event-stream"

KEEPALIVE_S = 15.0
"""After so long without a message there is a comment: proxies end what is silent for 30 s or more,
and only by writing do we learn that a reader is gone."""

_COMMENT = b": still here\n\n"

_HEADERS = {
    hdrs.CONTENT_TYPE: CONTENT_TYPE,
    hdrs.CACHE_CONTROL: "no-store",
    # nginx would hold messages back until a buffer is full.
    "X-Accel-Buffering": "no",
}

_encode = msgspec.json.Encoder().encode


def message(value: object, *, event: str = "", ident: int | str | None = None) -> bytes:
    """Return one message (pure).

    Args:
        value: What is told, as JSON.
        event: The name by which programs tell messages apart; one of ours, not a caller's.
        ident: What a reader says it has when it comes back; None for nothing.
    """
    lines = []
    if ident is not None:
        lines.append(f"id: {ident}\n".encode())
    if event:
        lines.append(f"event: {event}\n".encode())
    # JSON has no line break outside of its strings, and none inside.
    return b"".join([*lines, b"data: ", _encode(value), b"\n\n"])


async def stream(
    request: web.Request, messages: AsyncGenerator[bytes, None]
) -> web.StreamResponse:
    """Answer with messages until there are no more, or the reader is gone.

    What the source raises before its first message becomes an ordinary answer. Later there is a
    last message `error` with the text, and the answer ends.

    Args:
        request: Whose answer it is.
        messages: Each as `message()` makes it; closed in any case.

    Raises:
        LivebotError: Before the first message.
    """
    response = web.StreamResponse(headers=_HEADERS)
    async with aclosing(messages):
        if request.method == hdrs.METH_HEAD:
            await response.prepare(request)
            return response
        # Who is gone is no failure.
        with suppress(ConnectionError):
            await _write_all(request, response, messages)
    return response


async def _write_all(
    request: web.Request, response: web.StreamResponse, messages: AsyncGenerator[bytes, None]
) -> None:
    try:
        while (piece := await _next(request, response, messages)) is not None:
            await _begin(request, response)
            await response.write(piece)
    except LivebotError as exc:
        if not response.prepared:
            raise
        await response.write(message({"type": "error", "message": str(exc)}, event="error"))
    except ConnectionError:
        raise
    except Exception:
        if not response.prepared:
            raise
        # Nothing can be answered any more but an end.
        log.exception("stream_failed")
    await _begin(request, response)
    await response.write_eof()


async def _next(
    request: web.Request, response: web.StreamResponse, messages: AsyncGenerator[bytes, None]
) -> bytes | None:
    """Return the next message, with comments while it does not come; None after the last."""
    task = asyncio.create_task(_ask(messages), name="sse-message")
    try:
        while True:
            await asyncio.wait({task}, timeout=KEEPALIVE_S)
            if task.done():
                return task.result()
            await _begin(request, response)
            await response.write(_COMMENT)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


async def _ask(messages: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(messages, None)


async def _begin(request: web.Request, response: web.StreamResponse) -> None:
    if not response.prepared:
        await response.prepare(request)
