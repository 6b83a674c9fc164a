"""The page for everybody: without a mouse, with a screen reader, with large text, on a phone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser

from livebot.feeds.events import Notice, Speaker
from livebot.settings import Settings, load_settings
from tests.support.service_process import Service, service
from tests.system.world.captioned import ADA, GRACE, Captioned
from tests.system.world.recording import recording, write
from tests.system.world.visit import Visit, chromium, visiting

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

SERIOUS = {"serious", "critical"}
FOCUS = """() => {
    const it = document.activeElement;
    const box = it.getBoundingClientRect();
    const style = getComputedStyle(it.closest('.drop') ?? it);
    return {
        id: it.id || (it.className === 'scroller' ? 'captions' : ''),
        name: it.dataset.name ?? '', text: it.textContent.trim(),
        seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    };
}"""


@pytest.fixture
def settings() -> Settings:
    """Return settings of a service without keys; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=())


@pytest.fixture
async def call(settings: Settings) -> AsyncIterator[Captioned]:
    """Serve a call with all there may be to see."""
    async with Captioned(settings).served() as found:
        for number in range(8):
            found.say("Good morning to you all.", Speaker(f"p{number}", f"Person {number}"))
        found.say("صباح الخير", Speaker("s3", "يوسف"), "ar")
        found.lose(3.2)
        found.feed.publish(Notice("n", "Something else."))
        found.murmur("x", "and then", GRACE)
        yield found


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Run Chromium."""
    async with chromium() as found:
        yield found


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Service]:
    """Run a service with all but calls."""
    async with service(tmp_path) as found:
        yield found


async def check(visit: Visit, where: str) -> None:
    """Look for what keeps people out, as axe knows it."""
    results: dict[str, Any] = (await Axe().run(visit.page)).response
    bad = [
        (found["id"], found["impact"], [node["target"] for node in found["nodes"]])
        for found in results["violations"]
        if found["impact"] in SERIOUS
    ]
    assert not bad, f"{where}: {bad}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_any_tab(
    tmp_path: Path, served: Service, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """With files, transcripts and dialogs on them, in both contrasts.

    Spec: page/For everybody.
    """
    microphone = tmp_path / "said.wav"
    write(microphone, recording("ls_61").sound, silence_before_s=0.5)
    async with visiting(browser, served.url, scheme=scheme) as visit:
        page = visit.page
        await page.click("#microphone-options summary")
        await check(visit, "microphone")
        await visit.open_tab("files")
        await page.set_input_files("#file", microphone)
        await visit.until_shown("#jobs .facts", "Done", 90)
        await page.click("#jobs button:has-text('Open')")
        await page.wait_for_selector("#job-open .words")
        await check(visit, "files")
        await page.click("#jobs button:has-text('Delete')")
        await check(visit, "confirm")
        await page.keyboard.press("Escape")
        await visit.open_tab("transcripts")
        await page.click("#found button:has-text('Open')")
        await page.wait_for_selector("#transcript-open .words")
        await check(visit, "transcripts")
        await page.click("#found button:has-text('Share')")
        await page.click("#share-make")
        await page.wait_for_selector("#share-link:visible")
        await check(visit, "share")
        await page.keyboard.press("Escape")
        await page.click("#contrast")
        for tab in ("microphone", "files", "transcripts"):
            await visit.open_tab(tab)
            await check(visit, f"{tab}, contrast")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious_in_captions(
    call: Captioned, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """With everybody's colours, gaps, notices and what still grows. Spec: page/For everybody."""
    async with visiting(browser, call.url, scheme=scheme) as visit:
        await visit.open_tab("call")
        await visit.until_shown("#rooms .card", "abcd1234")
        await check(visit, "rooms")
        await visit.page.click("#rooms button")
        await visit.until_shown("#call-log .interim", "and then")
        await check(visit, "captions")
        await visit.page.click("#contrast")
        await check(visit, "captions, contrast")


async def test_all_can_be_reached_by_keyboard(served: Service, browser: Browser) -> None:
    """In the order of the page, each with a focus that is seen. Spec: page/For everybody."""
    async with visiting(browser, served.url) as visit:
        page = visit.page
        await visit.until("document.getElementById('tab-call').hidden")
        seen = []
        for _ in range(8):
            await page.keyboard.press("Tab")
            seen.append(await page.evaluate(FOCUS))
        assert all(focus["seen"] for focus in seen), seen
        assert [focus["id"] or focus["text"] for focus in seen] == [
            "skip", "tab-microphone", "smaller", "larger", "contrast",
            "captions",
            "start", "Options",
        ]  # fmt: skip
        await page.focus("#skip")
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"

        await page.focus("#tab-microphone")
        for key, name in (
            ("ArrowRight", "files"), ("End", "transcripts"), ("ArrowRight", "microphone"),
            ("ArrowLeft", "transcripts"), ("Home", "microphone"), ("ArrowRight", "files"),
        ):  # fmt: skip
            await page.keyboard.press(key)
            await visit.until(f"!document.getElementById('panel-{name}').hidden")
            assert (await page.evaluate(FOCUS))["name"] == name
            selected = "[...document.querySelectorAll('[aria-selected=true]')].map((t) => t.id)"
            assert await page.evaluate(selected) == [f"tab-{name}"]
            # An element of a tab's name would be jumped to.
            assert await page.evaluate(f"document.getElementById('{name}') === null")
        for _ in range(4):
            await page.keyboard.press("Tab")
        focus = await page.evaluate(FOCUS)
        assert (focus["id"], focus["seen"]) == ("file", True)


async def test_a_file_without_a_mouse(tmp_path: Path, served: Service, browser: Browser) -> None:
    """Chosen, opened and deleted by keys; the focus is never lost. Spec: page/For everybody."""
    said = tmp_path / "said.wav"
    write(said, recording("ls_61").sound, silence_before_s=0.5)
    async with visiting(browser, served.url + "/#files") as visit:
        page = visit.page
        # Playwright catches the dialog from now on, and not only once somebody waits for it.
        page.on("filechooser", lambda _: None)
        await visit.until_shown("#jobs-none", "none yet")
        await page.focus("#file")
        async with page.expect_file_chooser() as choosing:
            await page.keyboard.press("Enter")
        await (await choosing.value).set_files(said)
        await visit.until_shown("#jobs .facts", "Done", 90)
        await page.focus("#jobs button >> nth=0")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#job-open .words")
        assert (await page.evaluate(FOCUS))["text"] == "said.wav"
        await page.focus("#jobs button >> nth=1")
        await page.keyboard.press("Enter")
        # What cannot be undone is not what Enter does.
        assert (await page.evaluate(FOCUS))["text"] == "Keep it"
        await page.keyboard.press("Enter")
        assert await page.locator("#jobs .card").count() == 1
        assert (await page.evaluate(FOCUS))["text"] == "Delete"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await visit.until_shown("#jobs-none", "none yet")


async def test_size_and_contrast_are_remembered(call: Captioned, browser: Browser) -> None:
    """Four sizes, from small to large, and a stronger contrast. Spec: page/For everybody."""
    async with visiting(browser, call.room_url) as visit:
        page = visit.page
        await visit.until_shown("#call-log .words", "Good morning")
        style = "getComputedStyle(document.querySelector('#call-log .words')).fontSize"
        sizes = []
        await page.click("#smaller")
        for _ in range(5):
            sizes.append(float((await page.evaluate(style)).removesuffix("px")))
            # The last time there is nothing larger, which is said but does not lose the focus.
            await page.click("#larger", force=True)
        assert sizes == sorted(sizes)
        assert len(set(sizes)) == 4
        assert sizes[3] > 1.8 * sizes[0]
        await page.click("#contrast")
        await page.reload()
        await visit.until_shown("#call-log .words", "Good morning")
        assert float((await page.evaluate(style)).removesuffix("px")) == sizes[-1]
        assert await page.get_attribute("#contrast", "aria-pressed") == "true"


@pytest.mark.parametrize("width", [320, 390])
async def test_nothing_is_cut_off_on_a_phone(
    call: Captioned, browser: Browser, width: int
) -> None:
    """Also with the largest text, and long words. Spec: page/For everybody."""
    async with visiting(browser, call.room_url, width=width, height=740) as visit:
        page = visit.page
        for _ in range(2):
            await page.click("#larger")
        call.say("Donaudampfschifffahrtsgesellschaftskapitän" * 3, ADA, "de")
        await visit.until_shown("#call-log .words", "Donau")
        for tab in ("call", "microphone", "files", "transcripts"):
            await visit.open_tab(tab)
            wide = "document.documentElement.scrollWidth > innerWidth"
            assert not await page.evaluate(wide), tab
            box = await page.locator(f"#tab-{tab}").bounding_box()
            assert box is not None
            assert box["height"] >= 44  # a thumb's


async def test_colours_follow_the_system(call: Captioned, browser: Browser) -> None:
    """While the page is open, too. Spec: page/For everybody."""
    back = "getComputedStyle(document.body).backgroundColor"
    async with visiting(browser, call.url) as visit:
        light = await visit.page.evaluate(back)
        await visit.page.emulate_media(color_scheme="dark")
        assert await visit.page.evaluate(back) != light
