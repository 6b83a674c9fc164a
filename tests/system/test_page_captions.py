"""Captions of a call on the page: what is shown, how, and what screen readers get of it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from livebot.feeds.events import Notice, Speaker
from livebot.feeds.feed import Feed
from livebot.settings import Settings, load_settings
from tests.system.world.captioned import ADA, GRACE, ROOM, Captioned
from tests.system.world.visit import Visit, chromium, visiting

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

LOG = "#call-log"
ROWS = f"{LOG} .row"
WORDS = f"{LOG} .words"
HEARD = f"{LOG} .heard p"
SCROLLER = f"document.querySelector('{LOG} .scroller')"

XSS = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"


@pytest.fixture
def settings() -> Settings:
    """Return settings of a service without keys; made before the loop runs."""
    return load_settings(host="127.0.0.1", api_keys=())


@pytest.fixture
async def call(settings: Settings) -> AsyncIterator[Captioned]:
    """Serve a call in which nobody has spoken yet."""
    async with Captioned(settings).served() as found:
        yield found


@pytest.fixture
async def browser(call: Captioned) -> AsyncIterator[Browser]:  # noqa: ARG001 - closed before it
    """Run Chromium."""
    async with chromium() as found:
        yield found


@pytest.fixture
async def visit(browser: Browser, call: Captioned) -> AsyncIterator[Visit]:
    """Read along from the start."""
    async with visiting(browser, call.room_url) as found:
        await found.until_shown("#call-state", "Reading along")
        yield found


async def test_a_call_is_found_and_read(browser: Browser, call: Captioned) -> None:
    """In the list, by its token, by a link of Talk's; history first.

    Spec: page/A call's captions.
    """
    call.say("Before you came.")
    for entry in ("list", str(ROOM), f"https://cloud.example.com/index.php/call/{ROOM}?x=1#y"):
        async with visiting(browser, call.url) as visit:
            await visit.open_tab("call")
            await visit.until_shown("#rooms .card", ROOM)
            if entry == "list":
                await visit.page.click("#rooms button")
            else:
                await visit.page.fill("#room", "NO SUCH")
                await visit.page.keyboard.press("Enter")
                await visit.until_shown("#call-problem", "letters and digits")
                await visit.page.fill("#room", entry)
                await visit.page.keyboard.press("Enter")
            await visit.until_shown(WORDS, "Before you came.")
            # It was said before: nobody is told now.
            assert await visit.texts(HEARD) == []
            await visit.page.click("#call-leave")
            await visit.page.wait_for_selector("#call-choice:visible")


async def test_interims_grow_in_place_and_finals_stay(visit: Visit, call: Captioned) -> None:
    """Each utterance is one row, where it began. Spec: page/Captions."""
    call.murmur("a", "hello")
    call.murmur("b", "what a", GRACE)
    await visit.until_shown(f"{LOG} .interim .words", "what a")
    call.murmur("a", "hello every")
    call.say("What a day.", GRACE, utterance="b")
    call.murmur("b", "late")  # an interim of what is final already
    call.say("Hello everybody.", ADA, utterance="a")
    await visit.until_shown(WORDS, "Hello everybody.")
    assert await visit.texts(WORDS) == ["Hello everybody.", "What a day."]
    assert await visit.page.locator(f"{LOG} .interim").count() == 0
    call.murmur("c", "nothing", GRACE)
    await visit.until(f"document.querySelectorAll('{ROWS}').length === 3")
    call.murmur("c", "", GRACE)
    await visit.until(f"document.querySelectorAll('{ROWS}').length === 2")


async def test_screen_readers_get_what_is_final_once(visit: Visit, call: Captioned) -> None:
    """In a polite log of its own; what grows is not read out. Spec: page/Screen readers."""
    log = visit.page.locator(f"{LOG} .heard")
    assert await log.get_attribute("role") == "log"
    assert await log.get_attribute("aria-live") == "polite"
    assert await visit.page.locator(f"{LOG} .rows[aria-live]").count() == 0
    call.murmur("a", "good mor")
    await visit.until_shown(f"{LOG} .interim", "good mor")
    assert await visit.texts(HEARD) == []
    call.say("Good morning.", utterance="a")
    call.say("Guten Morgen.", GRACE, "de")
    call.lose(3.2)
    await visit.until_shown(HEARD, "Words may be missing (3.2 s)")
    assert (await visit.texts(HEARD))[:2] == ["Ada: Good morning.", "Grace: Guten Morgen."]
    assert await visit.page.locator(f"{HEARD} [lang=de]").count() == 1
    for number in range(30):
        call.say(f"More {number}.")
    await visit.until_shown(HEARD, "More 29.")
    assert len(await visit.texts(HEARD)) <= 12


async def test_what_strangers_say_is_text(visit: Visit, call: Captioned) -> None:
    """Markup in words, names, notices and languages. Spec: page/Words are text."""
    call.say(XSS, Speaker("<b>", XSS), 'en" onclick="x')
    call.feed.publish(Notice("n", XSS))
    call.murmur("i", XSS, Speaker("x", "javascript:alert(1)"))
    await visit.until_shown(f"{LOG} .interim .words", XSS)
    assert await visit.texts(WORDS) == [XSS, XSS]
    assert (await visit.texts(f"{LOG} .name"))[0] == XSS
    assert await visit.texts(f"{LOG} .mark") == [XSS]
    assert await visit.page.locator(f"{LOG} .rows :is(img, script, b)").count() == 0
    assert "hacked" not in await visit.page.title()


async def test_right_to_left(visit: Visit, call: Captioned) -> None:
    """Each row by its own words, with its language. Spec: page/Captions."""
    call.say("صباح الخير", Speaker("s3", "يوسف"), "ar")
    call.say("Good morning.", GRACE)
    call.say("123 שלום", ADA, "he")
    await visit.until_shown(WORDS, "שלום")
    styles = await visit.page.eval_on_selector_all(
        ROWS, "rows => rows.map((row) => getComputedStyle(row).direction)"
    )
    assert styles == ["rtl", "ltr", "rtl"]
    languages = await visit.page.eval_on_selector_all(WORDS, "all => all.map((one) => one.lang)")
    assert languages == ["ar", "en", "he"]


async def test_speakers_have_names_and_colours(visit: Visit, call: Captioned) -> None:
    """A name once for what somebody says in a row; a colour for each, always the same.

    Spec: page/Captions.
    """
    names = [f"Person {number}" for number in range(8)]
    for name in names:
        call.say("One.", Speaker(name, name))
        call.say("Two.", Speaker(name, name))
    call.say("Anon.", Speaker("", ""))
    await visit.until_shown(WORDS, "Anon.")
    assert (
        await visit.page.locator(f"{LOG} .who:visible .name:visible").all_text_contents() == names
    )
    script = f"""() => Object.fromEntries(
        [...document.querySelectorAll('{ROWS}[data-colour]')].map((row) =>
            [row.dataset.speaker, getComputedStyle(row.querySelector('.name')).color]))"""
    before = await visit.page.evaluate(script)
    assert len(set(before.values())) == 8
    await visit.page.reload()
    await visit.until_shown(WORDS, "Anon.")
    assert await visit.page.evaluate(script) == before


async def test_gaps_are_marked(visit: Visit, call: Captioned) -> None:
    """While they last and after, in one line. Spec: page/Captions."""
    call.lose(None)
    await visit.until_shown(f"{LOG} .gap", "Words are missing")
    call.lose(2.5)
    await visit.until_shown(f"{LOG} .gap", "Words may be missing (2.5 s): the network lost sound.")
    assert await visit.page.locator(f"{LOG} .gap").count() == 1


async def test_it_follows_the_newest_unless_one_reads_above(visit: Visit, call: Captioned) -> None:
    """And a button leads back. Spec: page/Long conversations."""
    at_end = f"{SCROLLER}.scrollHeight - {SCROLLER}.scrollTop - {SCROLLER}.clientHeight < 3"
    newest = visit.page.locator(f"{LOG} .newest")
    for number in range(40):
        call.say(f"Line {number}.")
    await visit.until_shown(WORDS, "Line 39.")
    await visit.until(at_end)
    assert await newest.is_hidden()
    await visit.page.evaluate(f"{SCROLLER}.scrollTop = 200")
    call.say("Unseen.")
    await newest.wait_for()
    assert await visit.page.evaluate(f"{SCROLLER}.scrollTop") == 200
    await newest.click()
    await visit.until(at_end)
    await visit.until_shown(WORDS, "Unseen.")
    assert await newest.is_hidden()
    assert await visit.page.evaluate(f"document.activeElement === {SCROLLER}")


async def test_who_has_just_scrolled_is_not_pulled_back(visit: Visit, call: Captioned) -> None:
    """Browsers tell of it with the next frame; a caption may come before that.

    Spec: page/Long conversations.
    """
    for number in range(40):
        call.say(f"Line {number}.")
    await visit.until_shown(WORDS, "Line 39.")
    # So that the page is never told, however soon the frame is.
    late = "window.addEventListener('scroll', (event) => event.stopImmediatePropagation(), true)"
    await visit.page.evaluate(f"{late}; {SCROLLER}.scrollTop = 200")
    call.say("Unseen.")
    await visit.page.locator(f"{LOG} .newest").wait_for()
    assert await visit.page.evaluate(f"{SCROLLER}.scrollTop") == 200


async def test_long_conversations_stay_light(visit: Visit, call: Captioned) -> None:
    """At most 500 rows at once, and all that was read can be scrolled back to.

    Spec: page/Long conversations.
    """
    count = f"document.querySelectorAll('{ROWS}').length"
    for number in range(1200):
        call.say(f"Line {number}.")
        if number % 200 == 0:
            await visit.until_shown(WORDS, f"Line {number}.")
    await visit.until_shown(WORDS, "Line 1199.")
    assert await visit.page.evaluate(count) <= 500
    most, first = 0, ""
    for _ in range(60):
        await visit.page.evaluate(f"{SCROLLER}.scrollTop = 0")
        await visit.page.wait_for_timeout(30)
        most = max(most, await visit.page.evaluate(count))
        first = (await visit.page.text_content(f"{WORDS} >> nth=0")) or ""
        if first == "Line 0.":
            break
    assert first == "Line 0."
    assert most <= 500
    shown = [int(text[5:-1]) for text in await visit.texts(WORDS)]
    assert shown == list(range(len(shown)))
    # And down again, past what was left out meanwhile.
    call.say("Line 1200.")
    texts: list[str] = []
    for _ in range(60):
        await visit.page.evaluate(f"{SCROLLER}.scrollTop = {SCROLLER}.scrollHeight")
        await visit.page.wait_for_timeout(30)
        texts = await visit.texts(WORDS)
        if texts[-1] == "Line 1200.":
            break
    shown = [int(text[5:-1]) for text in texts]
    assert shown == list(range(shown[0], 1201))
    assert len(shown) <= 500


async def test_reading_goes_on_when_the_service_is_back(
    settings: Settings, browser: Browser
) -> None:
    """What was read stays; what was said meanwhile comes. Spec: page/Connections that break."""
    call = Captioned(settings)
    asked: list[str] = []
    with call.feeds.listed(call.feed):
        async with call.served(lasting=True):
            context = visiting(browser, call.room_url)
            visit = await context.__aenter__()
            visit.page.on("request", lambda request: asked.append(request.url))
            await visit.until_shown("#call-state", "Reading along")
            call.say("Before.")
            await visit.until_shown(WORDS, "Before.")
        await visit.until_shown("#call-state", "Reconnecting")
        call.say("Meanwhile.")
        async with call.served(lasting=True):
            await visit.until_shown(WORDS, "Meanwhile.")
            assert await visit.texts(WORDS) == ["Before.", "Meanwhile."]
            assert any("after=1" in url for url in asked)
            assert await visit.texts(HEARD) == ["Ada: Before.", "Ada: Meanwhile."]
            await context.__aexit__(None, None, None)


async def test_a_new_service_has_new_numbers(settings: Settings, browser: Browser) -> None:
    """Numbers begin anew with it; what was read stays above. Spec: page/Connections that break."""
    call = Captioned(settings)
    async with call.served():
        url = call.room_url
        call.say("One.")
        call.say("Two.")
        context = visiting(browser, url)
        visit = await context.__aenter__()
        await visit.until_shown(WORDS, "Two.")
    await visit.until("document.getElementById('call-state').dataset.state !== 'live'")
    again = Captioned(settings, port=call.port)
    again.feed = Feed(call.feed.name)
    async with again.served():
        again.say("Three.")
        await visit.until_shown(WORDS, "Three.")
        again.say("Four.")
        await visit.until_shown(WORDS, "Four.")
        assert await visit.texts(WORDS) == ["One.", "Two.", "Three.", "Four."]
        await context.__aexit__(None, None, None)
