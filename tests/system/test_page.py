"""The page and a real service with its embedded engine: speak, drop a file, find it, share it."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.service_process import Service, service
from tests.support.wer import normalized, wer
from tests.system.world.recording import TWO_SENTENCES, recording, write
from tests.system.world.visit import Visit, chromium, visiting

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

LEAD_S = 1.0
LONG_S = 90.0
"""A busy machine takes its time."""

WATCH = """() => {
    window.seen = [];
    const look = () => {
        for (const { textContent } of document.querySelectorAll("#jobs .facts")) {
            if (window.seen.at(-1) !== textContent) window.seen.push(textContent);
        }
    };
    const all = { subtree: true, childList: true, characterData: true };
    new MutationObserver(look).observe(document.getElementById("jobs"), all);
}"""
"""Notes how a file is doing, whenever that changes."""

LINES = "#microphone-log .row:not(.interim) .words"
KEY = "0123456789abcdef"


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """Return what the microphone hears, once."""
    path = tmp_path / "microphone.wav"
    write(path, recording(*TWO_SENTENCES).sound, silence_before_s=LEAD_S)
    return path


@pytest.fixture
async def browser(microphone: Path) -> AsyncIterator[Browser]:
    """Run Chromium."""
    async with chromium(microphone) as found:
        yield found


async def heard(visit: Visit) -> str:
    """Return all words that are settled."""
    return " ".join(await visit.texts(LINES))


async def until_heard(visit: Visit, word: str, within_s: float = LONG_S) -> None:
    """Wait until a word is among those that are settled."""
    rows = f"[...document.querySelectorAll('{LINES}')]"
    text = f"{rows}.map((row) => row.textContent).join(' ').toLowerCase()"
    await visit.until(f"{text}.includes('{word}')", within_s)


async def test_what_one_says_appears(tmp_path: Path, browser: Browser) -> None:
    """Interim first, then for good, with a name.

    Spec: page/One's own microphone.
    """
    said = recording(*TWO_SENTENCES)
    async with service(tmp_path) as served, visiting(browser, served.url) as visit:
        page = visit.page
        await page.click("#microphone-options summary")
        await page.fill("#speaker", "Ada")
        await page.click("#start")
        await visit.until_shown("#microphone-state", "Listening")
        await page.wait_for_selector("#microphone-log .row.interim", timeout=LONG_S * 1000)
        await visit.until("document.getElementById('level').style.transform > 'scaleX(0.2)'")
        await until_heard(visit, normalized(said.text).split()[-1])
        await page.click("#start")
        await visit.until_shown("#microphone-state", "Ready", LONG_S)

        result = wer(said.text, await heard(visit))
        print(result)  # noqa: T201 - a figure for whoever runs it
        assert result.rate < 0.2
        assert set(await visit.texts("#microphone-log .row:not(.same) .name")) == {"Ada"}
        assert await page.locator("#microphone-log .row.interim").count() == 0
        assert await page.inner_text("#start") == "Start"


async def test_what_one_says_is_kept_if_one_wants_it(tmp_path: Path, browser: Browser) -> None:
    """Spec: page/One's own microphone."""
    said = recording(*TWO_SENTENCES)
    async with service(tmp_path) as served, visiting(browser, served.url) as visit:
        page = visit.page
        await page.click("#microphone-options summary")
        await page.check("#store")
        await page.click("#start")
        await until_heard(visit, normalized(said.text).split()[-1])
        await page.click("#start")
        await visit.until_shown("#microphone-state", "Ready", LONG_S)
        await visit.open_tab("transcripts")
        await visit.until_shown("#found .card", "Microphone")
        await page.click("#found button:has-text('Open')")
        await visit.until_shown("#transcript-open .words", "wizard")
        kept = await visit.texts("#transcript-open .words")
        assert normalized(" ".join(kept)) == normalized(await heard(visit))


async def test_a_file_becomes_text(tmp_path: Path, browser: Browser, microphone: Path) -> None:
    """Dropped, progressed, read, drawn, downloaded, deleted.

    Spec: page/Files.
    """
    async with service(tmp_path) as served, visiting(browser, served.url) as visit:
        page = visit.page
        await visit.open_tab("files")
        await visit.until_shown("#jobs-none", "none yet")
        await page.evaluate(WATCH)
        await drop(visit, microphone)
        await visit.until_shown("#jobs .card", "microphone.wav")
        await visit.until_shown("#jobs .facts", "Done", LONG_S)
        seen = await page.evaluate("window.seen")
        print(seen)  # noqa: T201 - for whoever runs it
        assert seen[0].startswith("Uploading")
        assert any(facts.startswith(("Waiting", "Recognising")) for facts in seen)
        assert await page.locator("#jobs progress").is_hidden()
        assert "microphone.wav: Done" in await page.inner_text("#jobs-news")

        await page.click("#jobs button:has-text('Open')")
        await visit.until_shown("#job-open .words", "wizard")
        assert (await page.evaluate("document.activeElement.tagName")) == "H3"
        await visit.until("document.querySelector('#job-open img')?.naturalWidth > 100")
        for name, beginning in (
            ("Text", "He began"), ("SRT", "1\n00:00:0"), ("WebVTT", "WEBVTT"),
            ("JSON", "{"), ("Markdown", "# "),
        ):  # fmt: skip
            async with page.expect_download() as coming:
                await page.click(f"#job-open .downloads button:has-text('{name}')")
            download = await coming.value
            assert re.fullmatch(r"microphone\.(txt|srt|vtt|json|md)", download.suggested_filename)
            text = await asyncio.to_thread(Path(await download.path()).read_text)
            assert text.startswith(beginning)
            assert "wizard" in text

        await page.click("#jobs button:has-text('Delete')")
        await page.click("#dialog-confirm [data-close]")
        assert await page.locator("#jobs .card").count() == 1
        await page.click("#jobs button:has-text('Delete')")
        await page.click("#confirm-action")
        await visit.until("!document.querySelector('#jobs .card, #job-open img')")


async def drop(visit: Visit, file: Path) -> None:
    """Drop a file as the mouse does."""
    data = await asyncio.to_thread(file.read_bytes)
    transfer = await visit.page.evaluate_handle(
        """([name, text]) => {
            const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: "audio/wav" }));
            return transfer;
        }""",
        [file.name, base64.b64encode(data).decode()],
    )
    await visit.page.dispatch_event("#drop", "dragover", {"dataTransfer": transfer})
    await visit.page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


async def test_a_file_that_is_none_says_so(tmp_path: Path, browser: Browser) -> None:
    """The reason is at the file, and it can be deleted. Spec: page/Files."""
    async with service(tmp_path) as served, visiting(browser, served.url) as visit:
        await visit.open_tab("files")
        await visit.page.set_input_files(
            "#file",
            {
                "name": "<img src=x onerror=alert(1)>.wav",
                "mimeType": "audio/wav",
                "buffer": b"nothing" * 99,
            },
        )
        await visit.until_shown("#jobs .facts", "Failed", LONG_S)
        assert await visit.texts("#jobs .title") == ["<img src=x onerror=alert(1)>.wav"]
        await visit.page.click("#jobs button:has-text('Delete')")
        assert "<img src=x onerror=alert(1)>.wav" in await visit.page.inner_text("#confirm-text")
        await visit.page.click("#confirm-action")
        await visit.until_shown("#jobs-none", "none yet")


async def test_a_key_is_asked_for_once(tmp_path: Path, browser: Browser) -> None:
    """And kept in the tab only: not beyond it, and in no address.

    Spec: page/Key.
    """
    async with (
        service(tmp_path, LT_API_KEYS=f"ops:{KEY}") as served,
        visiting(browser, served.url) as visit,
    ):
        page = visit.page
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        page.on("websocket", lambda socket: addresses.append(socket.url))
        await page.fill("#key", "wrong-key-0123456789")
        await page.keyboard.press("Enter")
        await visit.until_shown("#key-wrong", "not known")
        await page.fill("#key", KEY)
        await page.keyboard.press("Enter")
        await visit.until("!document.querySelector('dialog[open]')")
        await page.click("#start")
        await visit.until_shown("#microphone-state", "Listening")
        await visit.open_tab("files")
        await visit.until_shown("#jobs-none", "none yet")
        assert any("ticket=" in url for url in addresses)
        assert not any(KEY in url for url in addresses)
        assert KEY not in await page.evaluate("JSON.stringify(localStorage) + document.cookie")

        other = await page.context.new_page()
        await other.goto(served.url)
        await other.wait_for_selector("#dialog-key[open]")


async def test_a_link_shows_one_transcript_and_no_more(
    tmp_path: Path, browser: Browser, microphone: Path
) -> None:
    """Somebody without a key reads it; the rest of the page is not there.

    Spec: page/Shared by a link.
    """
    async with (
        service(tmp_path, LT_API_KEYS=f"ops:{KEY}") as served,
        visiting(browser, served.url) as visit,
    ):
        page = visit.page
        await page.fill("#key", KEY)
        await page.keyboard.press("Enter")
        await visit.open_tab("files")
        await page.set_input_files("#file", microphone)
        await visit.until_shown("#jobs .facts", "Done", LONG_S)
        await visit.open_tab("transcripts")
        await page.fill("#query", "wizard")
        await page.keyboard.press("Enter")
        await visit.until_shown("#found .found", "wizard")
        await page.click("#found button:has-text('Share')")
        await page.click("#share-make")
        await page.wait_for_selector("#share-link:visible")
        link = await page.input_value("#share-link")
        assert KEY not in link

        async with visiting(browser, link) as guest:
            await guest.until_shown("#shared-open .words", "wizard")
            await guest.until_shown("#shared-state", "Read only")
            for gone in ("#tabs", "#panel-files", "#panel-transcripts", "#panel-microphone"):
                assert await guest.page.locator(gone).is_hidden()
            async with guest.page.expect_download() as coming:
                await guest.page.click("#shared-open .downloads button:has-text('WebVTT')")
            text = await asyncio.to_thread(Path(await (await coming.value).path()).read_text)
            assert text.startswith("WEBVTT")

        async with visiting(browser, link.replace("share=", "share=x")) as stranger:
            await stranger.until_shown("#shared-state", "expired")
            assert await stranger.page.locator("#dialog-key").is_hidden()

        await page.click("#dialog-share [data-close]")
        await page.click("#found button:has-text('Erase')")
        await page.click("#confirm-action")
        await visit.until_shown("#transcripts-news", "Erased")
        async with visiting(browser, link) as late:
            await late.until("document.getElementById('shared-state').dataset.state === 'problem'")
            assert "wizard" not in await late.page.content()


async def test_others_read_along_by_a_link(tmp_path: Path, browser: Browser) -> None:
    """While somebody speaks, without a key, and nothing else. Spec: page/Shared by a link."""
    async with (
        service(tmp_path, LT_API_KEYS=f"ops:{KEY}") as served,
        visiting(browser, served.url) as visit,
    ):
        page = visit.page
        await page.fill("#key", KEY)
        await page.keyboard.press("Enter")
        await page.click("#start")
        await visit.until_shown("#microphone-state", "Listening")
        await page.click("#microphone-share")
        await page.click("#share-make")
        await page.wait_for_selector("#share-link:visible")
        link = await page.input_value("#share-link")
        async with visiting(browser, link) as guest:
            await guest.until_shown("#shared-log .row:not(.interim) .words", "wizard", LONG_S)
            assert await guest.page.locator("#shared-log .mark").count() == 0
            await page.click("#dialog-share [data-close]")
            await page.click("#start")
            await visit.until_shown("#microphone-state", "Ready", LONG_S)
            await guest.until_shown("#shared-state", "ended", LONG_S)
            said = await guest.texts("#shared-log .words")
            assert " ".join(said) == await heard(visit)


async def test_words_survive_a_service_that_is_killed(tmp_path: Path, browser: Browser) -> None:
    """What is said while it is away is kept and sent when it is back.

    Spec: page/Connections that break.
    """
    said = recording(*TWO_SENTENCES)
    async with service(tmp_path) as served, visiting(browser, served.url) as visit:
        await visit.page.click("#start")
        await visit.page.wait_for_selector("#microphone-log .row", timeout=LONG_S * 1000)
        await _kill(served)
        await visit.until_shown("#microphone-state", "Reconnecting", LONG_S)
        await served.start()
        await visit.until_shown("#microphone-state", "Listening", LONG_S)
        await until_heard(visit, normalized(said.text).split()[-1])
        result = wer(said.text, await heard(visit))
        print(result)  # noqa: T201 - a figure for whoever runs it
        assert result.rate < 0.35


async def _kill(served: Service) -> None:
    served.kill()
    await served.gone()
