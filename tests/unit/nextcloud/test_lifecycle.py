"""The app's life, without a network."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from livebot.errors import EngineError, LivebotError, NextcloudError
from livebot.nextcloud.lifecycle import (
    INIT_WITHIN_S,
    LEAVE_WITHIN_S,
    MOST_RETRY_S,
    OLD_STATUS,
    REPORT_EVERY_S,
    STATE_AFTER_S,
    STATUS,
    AppLifecycle,
    Prepare,
)
from livebot.nextcloud.ocs import AnswerError
from tests.support.waiting import until
from tests.unit.nextcloud.scripted import ScriptedOcs

pytestmark = pytest.mark.virtual_time


async def nothing() -> None:
    """Have nothing to leave."""


async def ready(_report: Callable[[int], None]) -> None:
    """Be ready at once."""


class Listens(ScriptedOcs):
    """A Nextcloud that takes every report, and tells whether the app is enabled.

    Attributes:
        enabled: What it tells.
        report: What happens to a report.
    """

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.enabled: object = None
        self.report: Callable[[str], None] = lambda _path: None

    def _answer(self, method: str, path: str, _body: object) -> object:
        if method == "GET":
            return self.enabled
        self.report(path)
        return []

    @property
    def reports(self) -> list[object]:
        """What was reported."""
        return [body for body in self.bodies if body]

    @property
    def reported_to(self) -> list[str]:
        """Where each report went."""
        return [path for method, path in self.asked if method == "PUT"]


def listens() -> Listens:
    """Return a Nextcloud."""
    return Listens()


def life(
    nextcloud: Listens, prepare: Prepare = ready, storage: Path | None = None
) -> AppLifecycle:
    """Return the life of an app."""
    return AppLifecycle(
        nextcloud,
        app_id="live_transcription",
        prepare=prepare,
        on_disable=nothing,
        storage=storage,
        chance=lambda: 0.0,
    )


async def settle(nextcloud: Listens, percent: int, error: str = "") -> None:
    """Wait until a report was made."""
    report = {"progress": percent, "error": error}
    await until(lambda: report in nextcloud.reports, 2 * INIT_WITHIN_S)


async def test_ready_app_says_so_once() -> None:
    """100 is reported when the app is prepared, and then nothing more."""
    nextcloud = listens()
    async with life(nextcloud) as app:
        app.begin_init()
        await asyncio.sleep(100)

    assert nextcloud.reports == [{"progress": 100, "error": ""}]
    assert nextcloud.reported_to == [STATUS]


async def test_progress_is_reported_now_and_then() -> None:
    """It only grows, is never 100 before the end, and comes no faster than it is worth."""
    nextcloud = listens()

    async def prepare(report: Callable[[int], None]) -> None:
        for percent in [5, 3, 10, *range(1000)]:
            report(percent)
            await asyncio.sleep(0.01)

    async with life(nextcloud, prepare) as app:
        app.begin_init()
        await settle(nextcloud, 100)

    percents = [body["progress"] for body in nextcloud.reports if isinstance(body, dict)]
    assert percents == sorted(percents)
    assert percents[-2:] == [99, 100]
    assert len(percents) <= 10 / REPORT_EVERY_S + 2


@pytest.mark.parametrize("fault", [EngineError("no model: set LT_MODEL_DIR"), NextcloudError("x")])
async def test_app_that_cannot_be_prepared(fault: LivebotError) -> None:
    """AppAPI gets the words, and shows them to the administrator."""
    nextcloud = listens()

    async def prepare(_report: Callable[[int], None]) -> None:
        raise fault

    async with life(nextcloud, prepare) as app:
        app.begin_init()
        await settle(nextcloud, 0, str(fault))

    assert {"progress": 100, "error": ""} not in nextcloud.reports


async def test_app_that_never_gets_ready() -> None:
    """After AppAPI's own deadline, it is said."""
    nextcloud = listens()
    loop = asyncio.get_running_loop()

    async def prepare(_report: Callable[[int], None]) -> None:
        await asyncio.Event().wait()

    async with life(nextcloud, prepare) as app:
        app.begin_init()
        await until(lambda: nextcloud.reports, 2 * INIT_WITHIN_S)

    assert abs(loop.time() - INIT_WITHIN_S) <= 1
    (body,) = nextcloud.reports
    assert isinstance(body, dict)
    assert "not ready after 40 minutes" in body["error"]


async def test_report_is_repeated_until_it_is_heard() -> None:
    """Nextcloud may be away while the app gets ready."""
    nextcloud, loop = listens(), asyncio.get_running_loop()

    def report(_path: str) -> None:
        if loop.time() < 500:
            raise NextcloudError("away")

    nextcloud.report = report
    async with life(nextcloud) as app:
        app.begin_init()
        await asyncio.sleep(500 + MOST_RETRY_S)

    # Seldom enough for a server that is down, often enough for one that is back.
    assert 7 <= len(nextcloud.reported_to) <= 15


async def test_report_is_given_up() -> None:
    """When AppAPI has given up, nobody asks it any more."""
    nextcloud = listens()

    def report(_path: str) -> None:
        raise NextcloudError("away")

    nextcloud.report = report
    async with life(nextcloud) as app:
        app.begin_init()
        await asyncio.sleep(INIT_WITHIN_S)
        asked = len(nextcloud.reported_to)
        await asyncio.sleep(INIT_WITHIN_S)

    assert len(nextcloud.reported_to) == asked


async def test_wrong_secret_is_shown_seldom() -> None:
    """Nextcloud slows down the whole address of who fails often."""
    nextcloud = listens()

    def report(_path: str) -> None:
        raise AnswerError(401)

    nextcloud.report = report
    async with life(nextcloud) as app:
        app.begin_init()
        await asyncio.sleep(10 * MOST_RETRY_S + 1)

    assert len(nextcloud.reported_to) <= 11


async def test_old_app_api() -> None:
    """Before AppAPI 3.0, the status had another address."""
    nextcloud = listens()

    def report(path: str) -> None:
        if path == STATUS:
            raise AnswerError(404)

    nextcloud.report = report
    async with life(nextcloud) as app:
        app.begin_init()
        await asyncio.sleep(1)

    old = OLD_STATUS.format("live_transcription")
    assert nextcloud.reported_to == [STATUS, old]


async def test_init_twice_is_done_once_at_a_time() -> None:
    """A second one meanwhile changes nothing; a later one, of an update, is done."""
    begun = 0

    async def prepare(_report: Callable[[int], None]) -> None:
        nonlocal begun
        begun += 1
        await asyncio.sleep(10)

    nextcloud = listens()
    async with life(nextcloud, prepare) as app:
        for _ in range(5):
            app.begin_init()
            await asyncio.sleep(1)
        assert begun == 1
        await asyncio.sleep(20)
        app.begin_init()
        await asyncio.sleep(20)

    assert begun == 2
    assert nextcloud.reports.count({"progress": 100, "error": ""}) == 2


async def test_app_is_enabled_until_somebody_disables_it() -> None:
    """Disabling ends what runs, every time; enabling ends nothing."""
    left = 0

    async def leave() -> None:
        nonlocal left
        left += 1

    app = life(listens())
    app._on_disable = leave
    async with app:
        assert app.enabled
        assert (await app.set_enabled(False), app.enabled, left) == ("", False, 1)
        assert (await app.set_enabled(False), app.enabled, left) == ("", False, 2)
        assert (await app.set_enabled(True), app.enabled, left) == ("", True, 2)


async def test_disable_is_answered_in_time() -> None:
    """AppAPI waits three seconds; what is under way goes on, and is not begun twice."""
    begun, ended = 0, 0

    async def leave() -> None:
        nonlocal begun, ended
        begun += 1
        await asyncio.sleep(10)
        ended += 1

    app, loop = life(listens()), asyncio.get_running_loop()
    app._on_disable = leave
    async with app:
        assert await app.set_enabled(False) == ""
        assert loop.time() == LEAVE_WITHIN_S
        assert await app.set_enabled(False) == ""
        assert (begun, ended) == (1, 0)
        await asyncio.sleep(10)
        assert (begun, ended) == (1, 1)


async def test_disable_that_fails_is_told() -> None:
    """AppAPI gets the words; the app is disabled all the same."""

    async def leave() -> None:
        raise EngineError("a room does not end")

    app = life(listens())
    app._on_disable = leave
    async with app:
        assert await app.set_enabled(False) == "a room does not end"
        assert not app.enabled


async def test_leaving_ends_everything() -> None:
    """A stop does not wait for models, reports or rooms."""

    async def forever(*_: object) -> None:
        await asyncio.Event().wait()

    app, loop = life(listens(), forever), asyncio.get_running_loop()
    app._on_disable = forever
    async with app:
        app.begin_init()
        await app.set_enabled(False)

    assert loop.time() == LEAVE_WITHIN_S


@pytest.mark.parametrize(
    ("said", "told", "expected"),
    [
        (False, 1, True),
        (True, 0, False),
        (False, 0, False),
        (True, True, True),
        (False, None, False),
        (False, {"enabled": 1}, False),
    ],
)
async def test_nextcloud_is_asked_what_it_meant(said: bool, told: object, expected: bool) -> None:
    """Somebody who sends a disable again has no luck for long. Spec: nextcloud/Life."""
    nextcloud, left = listens(), 0

    async def leave() -> None:
        nonlocal left
        left += 1

    app = life(nextcloud)
    app._on_disable = leave
    async with app:
        await asyncio.sleep(1)
        nextcloud.enabled = told
        await app.set_enabled(said)
        await asyncio.sleep(STATE_AFTER_S - 0.1)
        assert app.enabled is said
        await asyncio.sleep(0.2)
        assert app.enabled is expected

    assert left == (said is False) + (expected is False and said)


@pytest.mark.parametrize(("told", "expected"), [(1, True), (0, False), (None, True)])
async def test_nextcloud_knows_at_the_start(told: object, expected: bool) -> None:
    """It may have changed its mind while the app was not there."""
    nextcloud = listens()
    nextcloud.enabled = told
    async with life(nextcloud) as app:
        await asyncio.sleep(1)
        assert app.enabled is expected


async def test_change_meanwhile_counts() -> None:
    """An answer from before is not taken for one from after."""
    nextcloud = listens()
    nextcloud.enabled, nextcloud.takes_s = 0, 5.0
    async with life(nextcloud) as app:
        await asyncio.sleep(1)
        assert await app.set_enabled(True) == ""
        await asyncio.sleep(10)
        assert app.enabled


async def test_nextcloud_that_does_not_say() -> None:
    """Then the app does as it was told."""
    nextcloud = listens()

    def away(_method: str, _path: str, _body: object) -> object:
        raise NextcloudError("away")

    nextcloud.answer = away
    async with life(nextcloud) as app:
        await app.set_enabled(False)
        await asyncio.sleep(100)
        assert not app.enabled
