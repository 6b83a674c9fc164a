"""The page's side of a live session, with a service that does what the test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, WebSocketRoute

from livebot.settings import Settings, load_settings
from tests.system.world.captioned import Captioned
from tests.system.world.visit import Visit, chromium, visiting

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

LAWS = Path(__file__).parent / "world" / "page_laws.js"

SESSION = "0123456789abcdef" * 2
WORDS = "#microphone-log .words"
STATE = "#microphone-state"


class Connection:
    """One connection of the page's.

    Args:
        route: Playwright's.
    """

    def __init__(self, route: WebSocketRoute) -> None:
        self.query = {name: one for name, (one, *_) in parse_qs(urlsplit(route.url).query).items()}
        self.audio = bytearray()
        self.said: list[dict[str, Any]] = []
        self._route = route
        route.on_message(self._take)

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.audio += message
        else:
            self.said.append(json.loads(message))

    def tell(self, **message: Any) -> None:
        """Tell the page something."""
        self._route.send(json.dumps(message))

    def ready(
        self, session: str = SESSION, position: float = 0.0, seq: int = 0, epoch: float = 1.0
    ) -> None:
        """Tell the page to begin."""
        self.tell(type="ready", session=session, seq=seq, position=position, epoch=epoch,
                  resume_s=120)  # fmt: skip

    def final(self, seq: int, text: str, end: float = 1.0) -> None:
        """Tell words."""
        self.tell(seq=seq, at=1.0, type="final", utterance=f"u{seq}", text=text, words=[],
                  speaker={"id": "", "name": ""}, language="en", start=end - 1, end=end,
                  latency_ms=640)  # fmt: skip

    async def close(self, code: int) -> None:
        """End the connection."""
        await self._route.close(code=code)

    def says(self, kind: str) -> list[dict[str, Any]]:
        """Return the page's messages of a kind."""
        return [message for message in self.said if message["type"] == kind]


class Script:
    """All connections, in order."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self._came = asyncio.Event()

    def open(self, route: WebSocketRoute) -> None:
        """Take a connection."""
        self.connections.append(Connection(route))
        self._came.set()

    async def connection(self, number: int) -> Connection:
        """Return a connection, waiting for it."""
        async with asyncio.timeout(30):
            while len(self.connections) <= number:
                self._came.clear()
                await self._came.wait()
        return self.connections[number]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - Playwright calls back
            await asyncio.sleep(0.02)


@pytest.fixture
def settings() -> Settings:
    """Return settings of a service without keys; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=())


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Run Chromium, whose microphone hears beeps."""
    async with chromium() as found:
        yield found


@pytest.fixture
async def call(settings: Settings) -> AsyncIterator[Captioned]:
    """Serve the page and its tickets."""
    async with Captioned(settings).served() as found:
        yield found


@pytest.fixture
async def scene(browser: Browser, call: Captioned) -> AsyncIterator[tuple[Visit, Script]]:
    """Open the page; what it opens WebSockets to is the test."""
    script = Script()
    async with visiting(browser, call.url) as visit:
        await visit.page.route_web_socket("**/ws/transcribe**", script.open)
        yield visit, script


async def test_audio_goes_on_where_it_was_taken_up_to(scene: tuple[Visit, Script]) -> None:
    """Not a sample is lost, none comes twice. Spec: page/Connections that break."""
    visit, script = scene
    await visit.page.click("#start")
    first = await script.connection(0)
    rate = int(first.query["rate"])
    assert first.query["encoding"] == "pcm_s16le"
    assert first.query["ticket"]
    first.ready()
    await visit.until_shown(STATE, "Listening")
    first.final(1, "First words.", 0.4)
    first.final(2, "Second words.", 0.6)
    await visit.until_shown(WORDS, "Second words.")
    await visit.until_shown("#latency", "0.6 s")
    await until(lambda: len(first.audio) > 2 * rate)
    await first.close(1012)
    await visit.until_shown(STATE, "Reconnecting")

    second = await script.connection(1)
    assert (second.query["session"], second.query["after"]) == (SESSION, "2")
    assert second.query["ticket"] != first.query["ticket"]
    position = 0.62
    second.ready(position=position, seq=3)
    second.final(2, "Told twice.")
    second.final(3, "Third words.")
    await visit.until_shown(WORDS, "Third words.")
    assert await visit.texts(WORDS) == ["First words.", "Second words.", "Third words."]
    await until(lambda: len(second.audio) > 2 * rate)
    skipped = 2 * round(position * rate)
    both = min(len(first.audio) - skipped, len(second.audio))
    assert both > rate // 2
    assert any(first.audio[skipped : skipped + both])
    assert second.audio[:both] == first.audio[skipped : skipped + both]
    assert not second.says("position")


async def test_a_session_that_is_forgotten_is_followed_by_a_new_one(
    scene: tuple[Visit, Script],
) -> None:
    """With the audio of which no words were told. Spec: page/Connections that break."""
    visit, script = scene
    await visit.page.click("#start")
    first = await script.connection(0)
    rate = int(first.query["rate"])
    first.ready()
    first.final(1, "First words.", 0.5)
    await until(lambda: len(first.audio) > 2 * rate)
    await first.close(1011)
    second = await script.connection(1)
    second.tell(type="error", code="not_found", message="there is no such live session")
    await second.close(4404)
    third = await script.connection(2)
    assert "session" not in third.query
    third.ready("f" * 32, epoch=9.0)
    third.final(1, "First words of another.")
    await visit.until_shown(WORDS, "another")
    await visit.until_shown("#microphone-log .mark", "A new session began.")
    assert await visit.texts(WORDS) == ["First words.", "First words of another."]
    await until(lambda: len(third.audio) > rate // 4)
    began = 2 * round(0.5 * rate)
    both = min(len(first.audio) - began, len(third.audio))
    assert third.audio[:both] == first.audio[began : began + both]


async def test_last_words_come_before_the_end(scene: tuple[Visit, Script]) -> None:
    """All audio, then `close`; the page waits for `closed`. Spec: page/One's own microphone."""
    visit, script = scene
    await visit.page.click("#start")
    only = await script.connection(0)
    only.ready()
    await until(lambda: len(only.audio) > 0)
    await visit.page.click("#start")
    await until(lambda: bool(only.says("close")))
    await visit.until_shown(STATE, "last words")
    length = len(only.audio)
    only.final(1, "Last words.")
    only.tell(type="closed", seq=1, reason="finished")
    await visit.until_shown(STATE, "Ready")
    assert await visit.texts(WORDS) == ["Last words."]
    assert len(only.audio) == length
    assert await visit.page.inner_text("#start") == "Start"
    await asyncio.sleep(1.0)
    assert len(script.connections) == 1


@pytest.mark.parametrize(("code", "is_tried_again"), [(4503, True), (4429, True), (4400, False)])
async def test_what_the_service_says_no_with_is_shown(
    scene: tuple[Visit, Script],
    code: int,
    is_tried_again: bool,
) -> None:
    """And tried again where that may help. Spec: page/Connections that break."""
    visit, script = scene
    await visit.page.click("#start")
    first = await script.connection(0)
    first.tell(type="error", code="x", message="<b>not</b> now")
    await first.close(code)
    await visit.until_shown(STATE, "<b>not</b> now")
    if is_tried_again:
        (await script.connection(1)).ready()
        await visit.until_shown(STATE, "Listening")
    else:
        assert await visit.page.inner_text("#start") == "Start"
        await asyncio.sleep(1.0)
        assert len(script.connections) == 1


async def test_a_service_that_restarts_is_come_back_to(scene: tuple[Visit, Script]) -> None:
    """It says `closed` first, and why. Spec: page/Connections that break."""
    visit, script = scene
    await visit.page.click("#start")
    first = await script.connection(0)
    first.ready()
    first.tell(type="closed", seq=0, reason="restart")
    await first.close(1012)
    second = await script.connection(1)
    assert second.query["session"] == SESSION
    second.ready(position=0.1)
    await visit.until_shown(STATE, "Listening")


async def test_without_worklets_a_recorder_is_used(browser: Browser, call: Captioned) -> None:
    """Its recordings begin anew with each connection. Spec: page/One's own microphone."""
    script = Script()
    without = "delete window.AudioWorkletNode"
    async with visiting(browser, call.url, before=without) as visit:
        await visit.page.route_web_socket("**/ws/transcribe**", script.open)
        await visit.page.click("#start")
        first = await script.connection(0)
        assert first.query["encoding"] == "webm"
        first.ready()
        await until(lambda: len(first.audio) > 2000)
        assert first.audio[:4] == b"\x1a\x45\xdf\xa3"  # the magic number of EBML
        await first.close(1012)
        second = await script.connection(1)
        second.ready(position=0.2)
        await until(lambda: len(second.audio) > 1000)
        assert second.audio[:4] == b"\x1a\x45\xdf\xa3"
        assert second.says("position")[0]["seconds"] > 0.2
        await visit.page.click("#start")
        await until(lambda: bool(second.says("close")))


async def test_without_a_microphone_it_says_so(browser: Browser, call: Captioned) -> None:
    """In words that say what to do. Spec: page/One's own microphone."""
    denied = """navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("no", "NotAllowedError");
    }"""
    insecure = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    for before, text in ((denied, "may not use the microphone"), (insecure, "over https")):
        async with visiting(browser, call.url, before=before) as visit:
            await visit.page.click("#start")
            await visit.until_shown(STATE, text)
            assert await visit.page.inner_text("#start") == "Start"


async def test_modules_keep_their_laws(browser: Browser, call: Captioned) -> None:
    """Those that know no page: messages in pieces, audio that is kept, captions, numbers."""
    laws = await asyncio.to_thread(LAWS.read_text, encoding="utf-8")
    async with visiting(browser, call.url) as visit:
        for law in ("messages", "audio", "captions", "numbers"):
            assert await visit.page.evaluate(f"({laws}).{law}()") == "holds", law
