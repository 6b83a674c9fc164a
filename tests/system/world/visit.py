"""The page in Chromium, as somebody at a keyboard has it; Playwright drives it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

CHROMIUM = "/usr/bin/chromium"

ASK_EVERY_S = 0.05

WITHIN_MS = 30_000
"""What Playwright waits for comes in well under a second, except on a busy machine."""

_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
)  # fmt: skip


@dataclass
class Visit:
    """A page and what went wrong on it.

    Attributes:
        page: Playwright's.
        complaints: What the browser complained of: errors of scripts, and of the policy.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def open_tab(self, name: str) -> None:
        """Open one of the page's tabs."""
        await self.page.click(f"#tab-{name}")
        await self.page.wait_for_selector(f"#panel-{name}:not([hidden])")

    async def until(self, expression: str, within_s: float = 30.0) -> None:
        """Wait until JavaScript is true.

        The page's policy forbids `eval`, so Playwright cannot wait for it inside of the page.

        Raises:
            AssertionError: It never is; with what is there instead.
        """
        try:
            async with asyncio.timeout(within_s):
                while not await self.page.evaluate(expression):  # noqa: ASYNC110 - a browser's
                    await asyncio.sleep(ASK_EVERY_S)
        except TimeoutError:
            shown = await self.page.inner_text("body")
            raise AssertionError(f"never {expression}; the page: {shown}") from None

    async def until_shown(self, selector: str, text: str, within_s: float = 30.0) -> None:
        """Wait until the first of some elements contains a text.

        Raises:
            AssertionError: It never does; with what is there instead.
        """
        found = self.page.locator(selector).filter(has_text=text).first
        try:
            await found.wait_for(timeout=within_s * 1000)
        except Exception as exc:
            shown = await self.page.inner_text("body")
            raise AssertionError(f"{selector} never has {text!r}; the page: {shown}") from exc

    async def texts(self, selector: str) -> list[str]:
        """Return the texts of all such elements, shown or not."""
        return await self.page.locator(selector).all_text_contents()

    def _note(self, message: ConsoleMessage) -> None:
        # The service's noes are expected and told by the page; they are no complaint.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)


@asynccontextmanager
async def chromium(microphone: Path | None = None) -> AsyncIterator[Browser]:
    """Run Chromium, with a recording as its microphone."""
    flags = [*_FLAGS]
    if microphone is not None:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(
    browser: Browser,
    url: str,
    *,
    width: int = 1100,
    height: int = 760,
    scheme: Literal["light", "dark"] = "light",
    before: str = "",
    **options: Any,
) -> AsyncIterator[Visit]:
    """Visit the page as somebody who was never there; fail if the browser complains.

    Args:
        browser: Which.
        url: The page's.
        width: Of the window.
        height: Of the window.
        scheme: What the system prefers.
        before: JavaScript that runs before the page's own.
        options: Of Playwright's `new_context`.
    """
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        **options,
    )
    try:
        context.set_default_timeout(WITHIN_MS)
        if before:
            await context.add_init_script(before)
        visit = Visit(await context.new_page())
        visit.page.on("console", visit._note)
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        await visit.page.goto(url)
        yield visit
        assert not visit.complaints, visit.complaints
    finally:
        await context.close()
