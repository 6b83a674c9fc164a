"""The demo's page in a real browser: captions of the others, then one's own words."""

import asyncio
import itertools
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.wer import normalized, wer
from tests.system.world.browser import _FLAGS
from tests.system.world.process import Process, free_port, server
from tests.system.world.recording import recording, write

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

NAME = "Mary"
ASK_EVERY_S = 0.1


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
    profile = folder / "profile"
    argv = [
        "chromium",
        *_FLAGS,
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        f"--user-data-dir={profile}",
        "--remote-debugging-port=0",
        "about:blank",
    ]
    port_file = profile / "DevToolsActivePort"
    with Process("chromium", argv, folder=folder) as process:
        process.wait_until(lambda: port_file.exists() and "\n" in port_file.read_text("ascii"), 20)
        port = await asyncio.to_thread(lambda: port_file.read_text("ascii").split()[0])
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json") as response:
                pages = await response.json()
            url = next(page for page in pages if page["type"] == "page")["webSocketDebuggerUrl"]
            async with http.ws_connect(url, max_msg_size=0) as ws:
                yield Tab(ws)


def words_of(name: str) -> str:
    """Return JavaScript for all complete words shown under a name."""
    return (
        "[...document.querySelectorAll('#captions li')]"
        f".filter((item) => item.querySelector('.name').textContent === {json.dumps(name)})"
        ".map((item) => item.querySelector('.settled').textContent).join(' ')"
    )


async def test_page_shows_the_speakers_and_ones_own_words(tmp_path: Path) -> None:
    """First Ada's and Grace's captions; then one joins and reads what one says."""
    said = recording("ls_61")
    microphone = tmp_path / "microphone.wav"
    write(microphone, said.sound, silence_before_s=2.0)
    port = free_port()
    livebot = shutil.which("livebot", path=str(Path(sys.executable).parent)) or "livebot"
    demo = Process("demo", [livebot, "demo", "--port", str(port)], folder=tmp_path)
    with server(demo, port):
        async with tab(tmp_path, microphone) as page:
            await page.call("Page.navigate", url=f"http://127.0.0.1:{port}/")
            for name in ("Grace", "Ada"):
                await page.until(f"{words_of(name)} !== ''", within_s=40)

            await page.value(f"document.getElementById('name').value = '{NAME}'")
            await page.value("document.getElementById('toggle').click()")
            await page.until("document.getElementById('toggle').innerText === 'Leave'", 15)
            own = words_of(f"{NAME} (you)")
            last = normalized(said.text).split()[-1]
            await page.until(f"{own}.toLowerCase().includes('{last}')", within_s=30)

            result = wer(said.text, await page.value(own))
            print(result)  # noqa: T201 - a figure for whoever runs it
            assert result.rate < 0.2
            await page.value("document.getElementById('toggle').click()")
            await page.until("document.getElementById('people').innerText.indexOf('you') < 0", 10)
