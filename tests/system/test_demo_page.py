"""The demo's page in a real browser: captions of the others, then one's own words."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.wer import normalized, wer
from tests.system.world.devtools import tab
from tests.system.world.process import Process, free_port, server
from tests.system.world.recording import recording, write

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

NAME = "Mary"


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
