"""The demo's page in a real browser: captions of the others, then one's own words."""

import asyncio
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.wer import normalized, wer
from tests.system.world.devtools import tab
from tests.system.world.process import Process, free_port, server
from tests.system.world.recording import recording, write

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

NAME = "Mary"
SPEAKS_WITHIN_S = 12.0
"""In so long somebody of the demo says something, wherever it begins."""


def words_of(name: str) -> str:
    """Return JavaScript for all complete words shown under a name."""
    return (
        "[...document.querySelectorAll('#captions li')]"
        f".filter((item) => item.querySelector('.name').textContent === {json.dumps(name)})"
        ".map((item) => item.querySelector('.settled').textContent).join(' ')"
    )


def shown(selector: str) -> str:
    """Return JavaScript for the complete words in a part of the page, in its order."""
    return (
        f"[...document.querySelectorAll('{selector} .settled')]"
        ".map((words) => words.textContent).join(' ')"
    )


EARLIER, PAST, LIVE = "#past .earlier", "#past > ol", "#captions"
CC = "document.getElementById('cc')"


@contextmanager
def _demo(folder: Path) -> Iterator[str]:
    """Run the command; yield the page's address."""
    port = free_port()
    livebot = shutil.which("livebot", path=str(Path(sys.executable).parent)) or "livebot"
    demo = Process("demo", [livebot, "demo", "--port", str(port)], folder=folder)
    with server(demo, port):
        yield f"http://127.0.0.1:{port}/"


async def test_page_that_comes_late_shows_what_was_said_and_cc_switches(tmp_path: Path) -> None:
    """What was said earlier is marked, first, and in no region that is read out as it grows.

    Spec: command-line/Captions in the demo.
    """
    microphone = tmp_path / "microphone.wav"
    write(microphone, recording("ls_61").sound, silence_before_s=2.0)
    with _demo(tmp_path) as url:
        async with tab(tmp_path, microphone) as page:
            await page.call("Page.navigate", url=url)
            await page.until(f"{words_of('Ada')} !== ''", within_s=60)
            assert await page.value(shown(EARLIER)) == ""
            said = await page.value(shown(LIVE))

            # A reload is another page in Talk: it has seen nothing.
            await page.call("Page.reload")
            await page.until(f"{shown(EARLIER)}.startsWith({json.dumps(said)})", within_s=10)
            assert await page.value("!document.querySelector('#past').closest('[aria-live]')")
            assert await page.value("!document.querySelector('#past [aria-live]')")
            assert await page.value("document.querySelector('.earlier h2').innerText") == (
                "Said earlier"
            )
            await page.until(f"{shown(LIVE)} !== ''", within_s=20)
            order = "document.querySelector('#past').compareDocumentPosition(captions)"
            assert await page.value(f"Boolean({order} & Node.DOCUMENT_POSITION_FOLLOWING)")

            await page.value(f"{CC}.click()")
            assert await page.value(f"{CC}.ariaPressed") == "false"
            await page.until("document.body.innerText.includes('Captions are off.')", 5)
            # What was on its way may still come.
            await asyncio.sleep(1.0)
            before = await page.value("document.querySelector('main').innerText")
            await asyncio.sleep(SPEAKS_WITHIN_S)
            assert await page.value("document.querySelector('main').innerText") == before

            await page.value(f"{CC}.click()")
            missed = "document.querySelector('#past > :last-child')"
            await page.until(f"{missed}.className === 'earlier'", within_s=10)
            assert await page.value("document.querySelectorAll('.earlier').length") == 2
            assert await page.value(shown(PAST)) != ""
            await page.until(f"{shown(LIVE)} !== ''", within_s=20)
            for text in await page.value(f"{missed}.innerText.split('\\n')"):
                assert text in {"", "Said earlier", "Ada", "Grace"} or text not in before


async def test_page_shows_the_speakers_and_ones_own_words(tmp_path: Path) -> None:
    """First Ada's and Grace's captions; then one joins and reads what one says."""
    said = recording("ls_61")
    microphone = tmp_path / "microphone.wav"
    write(microphone, said.sound, silence_before_s=2.0)
    with _demo(tmp_path) as url:
        async with tab(tmp_path, microphone) as page:
            await page.call("Page.navigate", url=url)
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
