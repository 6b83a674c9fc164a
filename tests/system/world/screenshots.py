"""Takes the pictures of the page that the README shows, of a real service and real speech.

python -m tests.system.world.screenshots deploy/screenshots
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import numpy as np

from tests.support.service_process import service
from tests.system.world.recording import RATE_HZ, recording, write
from tests.system.world.visit import Visit, chromium, visiting

SAID = ("two_cities",)
MEETING = ("libri_05_spk1284", "jfk", "libri_02_spk1188", "libri_01_spk1089")
PAUSE = np.zeros(round(0.9 * RATE_HZ), dtype=np.int16)


async def speak(visit: Visit, to: Path) -> None:
    """Take a picture while somebody speaks."""
    page = visit.page
    await page.click("#microphone-options summary")
    await page.fill("#speaker", "Ada")
    await page.click("#start")
    await visit.until("document.querySelectorAll('#microphone-log .row').length > 4", 120)
    await page.wait_for_selector("#microphone-log .interim", timeout=60_000)
    await page.wait_for_timeout(600)
    await page.screenshot(path=to)
    await page.click("#start")


async def recognise(visit: Visit, file: Path, to: Path) -> None:
    """Take a picture of a file that became text."""
    page = visit.page
    await visit.open_tab("files")
    await page.check("#diarize")
    await page.set_input_files("#file", file)
    await visit.until_shown("#jobs .facts", "Done", 300)
    await page.click("#jobs button:has-text('Open')")
    await visit.until("document.querySelector('#job-open img')?.naturalWidth > 100", 60)
    await page.wait_for_timeout(300)
    await page.screenshot(path=to)


async def main(folder: Path) -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as found:
        here = Path(found)
        microphone, meeting = here / "microphone.wav", here / "library meeting.wav"
        write(microphone, recording(*SAID).sound, silence_before_s=1.0)
        turns = [sound for name in MEETING for sound in (recording(name).sound, PAUSE)]
        write(meeting, np.concatenate(turns), silence_before_s=0.5)
        async with service(here) as served, chromium(microphone) as browser:
            async with visiting(browser, served.url) as visit:
                await speak(visit, folder / "page-light.png")
            async with visiting(browser, served.url, scheme="dark") as visit:
                await recognise(visit, meeting, folder / "page-dark.png")
            async with visiting(browser, served.url, width=390, height=760) as visit:
                await speak(visit, folder / "page-phone.png")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(exist_ok=True)
    asyncio.run(main(target))
