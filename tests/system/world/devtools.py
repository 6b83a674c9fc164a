"""A page of Chromium, driven as its developer tools do."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.system.world.browser import argv_of
from tests.system.world.process import Process

ASK_EVERY_S = 0.1
START_WITHIN_S = 20.0


class Tab:
    """One page of Chromium, driven over its DevTools protocol.

    Args:
        ws: The protocol's WebSocket.
    """

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._ws = ws
        self._ids = itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method; what the browser tells unasked is skipped."""
        ident = next(self._ids)
        await self._ws.send_json({"id": ident, "method": method, "params": params})
        while True:
            answer = await self._ws.receive_json()
            if answer.get("id") == ident:
                return dict(answer["result"])

    async def value(self, expression: str) -> Any:
        """Return what JavaScript makes of an expression; with a gesture, as if by a person."""
        result = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, userGesture=True
        )
        return result["result"].get("value")

    async def until(self, expression: str, within_s: float) -> None:
        """Wait until an expression is true.

        Raises:
            TimeoutError: With what the page shows instead.
        """
        try:
            async with asyncio.timeout(within_s):
                while not await self.value(expression):  # noqa: ASYNC110 - asked of a browser
                    await asyncio.sleep(ASK_EVERY_S)
        except TimeoutError:
            shown = await self.value("document.body.innerText")
            raise TimeoutError(f"never {expression}; the page shows: {shown}") from None


@asynccontextmanager
async def tab(folder: Path, microphone: Path) -> AsyncIterator[Tab]:
    """Open Chromium with a recording as its microphone, which starts when a page asks for it."""
    with Process("chromium", argv_of(folder, microphone, "about:blank"), folder=folder) as process:
        process.wait_until(lambda: _port(folder) is not None, START_WITHIN_S)
        async with opened(folder) as found:
            yield found


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Tab]:
    """Drive the page of the Chromium that runs in *folder*, once it does."""
    async with asyncio.timeout(START_WITHIN_S):
        while (port := await asyncio.to_thread(_port, folder)) is None:  # noqa: ASYNC110
            await asyncio.sleep(ASK_EVERY_S)
    async with aiohttp.ClientSession() as http:
        async with http.get(f"http://127.0.0.1:{port}/json") as response:
            pages = await response.json()
        url = next(page for page in pages if page["type"] == "page")["webSocketDebuggerUrl"]
        async with http.ws_connect(url, max_msg_size=0) as ws:
            yield Tab(ws)


def _port(folder: Path) -> str | None:
    """Return the port of the protocol, which Chromium writes down when it is ready."""
    file = folder / "profile" / "DevToolsActivePort"
    text = file.read_text("ascii") if file.exists() else ""
    return text.split()[0] if "\n" in text else None
