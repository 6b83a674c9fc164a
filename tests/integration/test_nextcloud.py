"""Nextcloud over real sockets, with what can go wrong on the way."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from structlog.testing import capture_logs

from livebot.errors import (
    EngineError,
    NextcloudError,
    TranslationError,
    TranslationUnavailableError,
)
from livebot.metrics import Metrics
from livebot.nextcloud.client import Nextcloud
from livebot.nextcloud.lifecycle import AppLifecycle
from livebot.nextcloud.ocs import AnswerError
from livebot.nextcloud.talk import PATH, TalkSettings
from livebot.nextcloud.translator import MOST_TASKS, NextcloudTranslator
from tests.support import certificate
from tests.support.app_api_double import AppApiDouble
from tests.support.http_faults import FAULTS
from tests.support.nextcloud_double import NextcloudDouble
from tests.support.waiting import until

SPEECH = "My password is swordfish."


@pytest.fixture
async def double() -> AsyncIterator[NextcloudDouble]:
    """Serve a Nextcloud."""
    async with NextcloudDouble().serve() as served:
        yield served


def client(double: NextcloudDouble, **changes: Any) -> Nextcloud:
    """Return the app that the double knows, or one that differs."""
    values: dict[str, Any] = {
        "url": double.url,
        "app_id": double.app_id,
        "app_version": double.app_version,
        "aa_version": "33.0.0",
        "secret": SecretStr(double.secret),
        "metrics": Metrics(),
        **changes,
    }
    return Nextcloud(**values)


@pytest.fixture
async def nextcloud(double: NextcloudDouble) -> AsyncIterator[Nextcloud]:
    """Be the app that the double knows."""
    async with client(double) as asked:
        yield asked


async def test_app_is_let_in(double: NextcloudDouble, nextcloud: Nextcloud) -> None:
    """AppAPI's headers are understood; settings come back. Spec: nextcloud/Talk's settings."""
    settings = TalkSettings(nextcloud)

    servers = await settings.ice_servers()

    assert await settings.hpb_url() == "wss://hpb.example.com/standalone-signaling/spreed"
    assert [server.urls[0] for server in servers] == [
        "stun:stun.example.com:443",
        "turn:turn.example.com:3478",
    ]
    assert (double.seen, double.refused) == ([("GET", PATH)], 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"app_id": "other"},
        {"secret": SecretStr("wrong")},
        {"secret": SecretStr("")},
        {"app_version": ""},
    ],
)
async def test_stranger_is_told_what_to_check(
    double: NextcloudDouble, changes: dict[str, Any]
) -> None:
    """A wrong app is refused once, not in a loop: Nextcloud slows down who fails often."""
    async with client(double, **changes) as nextcloud:
        settings = TalkSettings(nextcloud)
        with pytest.raises(NextcloudError, match="APP_SECRET") as found:
            await settings.hpb_url()
        for _ in range(5):
            with pytest.raises(NextcloudError):
                await settings.ice_servers()

    assert (double.seen, double.refused) == ([], 1)
    assert double.secret not in repr(found.value)


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_nothing_is_worse_than_a_fault(
    double: NextcloudDouble, nextcloud: Nextcloud, fault: str
) -> None:
    """Whatever the server does, it is a NextcloudError in time, and the next question works."""
    double.always = fault
    loop = asyncio.get_running_loop()
    begun = loop.time()

    with pytest.raises(NextcloudError) as found:
        await nextcloud.ask("GET", PATH, within_s=0.5)

    assert loop.time() - begun < 5.0
    assert double.secret not in f"{found.value!r} {found.value.__cause__!r}"
    double.always = None
    assert await nextcloud.ask("GET", PATH, within_s=5.0)


@pytest.mark.parametrize("fault", sorted(FAULTS - {"hang", "redirect", "trickle"}))
async def test_passing_fault_is_survived(
    double: NextcloudDouble, nextcloud: Nextcloud, fault: str
) -> None:
    """What may be asked twice is, within the deadline."""
    double.faults = [fault, fault]

    assert await nextcloud.ask("GET", PATH, within_s=10.0)


async def test_what_changes_something_is_asked_once(
    double: NextcloudDouble, nextcloud: Nextcloud
) -> None:
    """A text is not scheduled twice because the answer was lost."""
    double.faults = ["error"]

    with pytest.raises(AnswerError):
        await nextcloud.ask("POST", "/ocs/v2.php/taskprocessing/schedule", body={}, within_s=5.0)

    assert double.seen == []
    assert double.faults == []


async def test_redirect_does_not_carry_the_secret_away(
    double: NextcloudDouble, nextcloud: Nextcloud
) -> None:
    """Nobody at the other address hears of us. Spec: nextcloud/Questions."""
    async with NextcloudDouble().serve() as other:
        double.always, double.redirect_to = "redirect", f"{other.url}{PATH}"

        with pytest.raises(NextcloudError, match="Set NEXTCLOUD_URL"):
            await nextcloud.ask("GET", PATH)

    assert (other.seen, other.refused) == ([], 0)


async def test_certificate_is_checked(tmp_path: Path) -> None:
    """An unknown one is refused, without a second try; one that is trusted works."""
    context, trusted = certificate.create(tmp_path)
    async with NextcloudDouble().serve(tls=context) as double:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with client(double) as nextcloud:
            with pytest.raises(NextcloudError, match="certificate"):
                await nextcloud.ask("GET", PATH, within_s=10.0)
        assert loop.time() - begun < 5.0
        tls = ssl.create_default_context(cafile=str(trusted))
        async with client(double, tls=tls) as nextcloud:
            assert await nextcloud.ask("GET", PATH)

    assert double.refused == 0


async def test_nobody_listens() -> None:
    """The fault says which setting to look at, and is counted."""
    metrics = Metrics()
    double = NextcloudDouble(port=1)
    async with client(double, metrics=metrics) as nextcloud:
        with pytest.raises(NextcloudError, match="NEXTCLOUD_URL"):
            await nextcloud.ask("GET", PATH, within_s=0.5)

    counted = metrics.errors.labels("nextcloud", "unreachable")._value.get()
    assert counted >= 1


async def test_cookies_are_not_kept(nextcloud: Nextcloud, double: NextcloudDouble) -> None:
    """Each question stands alone: a session would count as a user's."""
    await nextcloud.ask("GET", PATH)

    assert nextcloud._session is not None
    assert not list(nextcloud._session.cookie_jar)
    assert double.asked(PATH) == 1


async def test_settings_survive_a_dead_nextcloud(
    double: NextcloudDouble, nextcloud: Nextcloud
) -> None:
    """Those that hold are used; a peer waits for three seconds at most."""
    settings = TalkSettings(nextcloud)
    await settings.hpb_url()
    # As after a while: they hold, but should be asked for again.
    kept = settings._cache._kept
    assert kept
    settings._cache._kept = replace(kept, fresh_s=0.0)
    double.always = "hang"
    loop = asyncio.get_running_loop()
    begun = loop.time()

    assert await settings.ice_servers()

    assert loop.time() - begun < 3.5


# -- The app's life


@asynccontextmanager
async def installed(
    double: NextcloudDouble,
    prepare: Callable[[Callable[[int], None]], Any],
    storage: Path | None = None,
) -> AsyncIterator[tuple[AppApiDouble, AppLifecycle, list[str]]]:
    """Serve the least of an app, without a guard, and be AppAPI."""
    left: list[str] = []

    async def leave() -> None:
        left.append("left")

    async with (
        client(double) as nextcloud,
        AppLifecycle(
            nextcloud,
            app_id=double.app_id,
            prepare=prepare,
            on_disable=leave,
            storage=storage,
        ) as life,
        serve_app(life) as url,
        AppApiDouble(double, url).connected() as app_api,
    ):
        yield app_api, life, left


@asynccontextmanager
async def serve_app(life: AppLifecycle) -> AsyncIterator[str]:
    """Answer AppAPI as `livebot.api` does."""

    async def heartbeat(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def init(_request: web.Request) -> web.Response:
        life.begin_init()
        return web.json_response({})

    async def enabled(request: web.Request) -> web.Response:
        return web.json_response(
            {"error": await life.set_enabled(request.query["enabled"] == "1")}
        )

    app = web.Application()
    app.add_routes(
        [
            web.get("/heartbeat", heartbeat),
            web.post("/init", init),
            web.put("/enabled", enabled),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_installation(double: NextcloudDouble, tmp_path: Path) -> None:
    """Heartbeat, init, progress, enabled; disabled, also after a restart. Spec: nextcloud/Life."""

    async def prepare(report: Callable[[int], None]) -> None:
        report(40)
        await asyncio.sleep(0.2)

    async with installed(double, prepare, tmp_path) as (app_api, life, left):
        await app_api.install()
        assert app_api.events == ["init 200", "enabled"]
        assert double.progress == [(40, ""), (100, "")]
        await app_api.disable()
        await app_api.disable()
        assert app_api.events[2:] == ["disabled", "disabled"]
        assert (life.enabled, left) == (False, ["left", "left"])

    async with installed(double, prepare, tmp_path) as (app_api, life, _):
        assert not life.enabled
        await app_api.enable()
        assert life.enabled


async def test_disabled_while_it_was_not_there(double: NextcloudDouble) -> None:
    """Nextcloud is asked at the start, and answers an app that is disabled, too."""

    async def prepare(_report: Callable[[int], None]) -> None:
        pass

    double.enabled = False
    async with installed(double, prepare) as (_, life, left):
        await until(lambda: not life.enabled)
        await until(lambda: left == ["left"])


async def test_installation_through_a_bad_network(double: NextcloudDouble) -> None:
    """Reports are repeated until they are heard."""

    async def prepare(_report: Callable[[int], None]) -> None:
        double.faults = ["error", "close", "garbage", "busy"]

    async with installed(double, prepare) as (app_api, _, _left):
        await app_api.install()

    assert app_api.events == ["init 200", "enabled"]


async def test_installation_that_fails(double: NextcloudDouble) -> None:
    """The administrator is told why."""

    async def prepare(_report: Callable[[int], None]) -> None:
        raise EngineError("no model; set LT_MODEL_DIR")

    async with installed(double, prepare) as (app_api, _, _left):
        with pytest.raises(AssertionError, match="LT_MODEL_DIR"):
            await app_api.install()

    assert "enabled" not in app_api.events


async def test_installation_with_an_old_app_api(double: NextcloudDouble) -> None:
    """The status had another address before."""
    double.old = True

    async def prepare(_report: Callable[[int], None]) -> None:
        pass

    async with installed(double, prepare) as (app_api, _, _left):
        await app_api.install()

    assert double.seen[-1] == (
        "PUT",
        "/ocs/v1.php/apps/app_api/apps/status/live_transcription",
    )


# -- Translation


@pytest.fixture
async def translator(nextcloud: Nextcloud) -> AsyncIterator[NextcloudTranslator]:
    """Translate with what the double has."""
    async with NextcloudTranslator(nextcloud, app_id="live_transcription") as made:
        yield made


async def test_translation(double: NextcloudDouble, translator: NextcloudTranslator) -> None:
    """A text goes there and comes back, in few questions; nothing of it stays."""
    found = await translator.translate(SPEECH, origin="en", target="pt-BR")

    assert found == f"[pt_BR] {SPEECH}"
    await until(lambda: not double.tasks)
    assert [path.rpartition("/")[2] for _, path in double.seen] == [
        "tasktypes",
        "schedule",
        "1",
        "1",
    ]


async def test_translation_by_an_old_nextcloud(
    double: NextcloudDouble, translator: NextcloudTranslator
) -> None:
    """Without paths for apps, those for all are used; tasks can only be left there."""
    double.old = True

    found = await translator.translate(SPEECH, origin="en", target="de")

    assert found == f"[de] {SPEECH}"
    assert [(method, "tasks_consumer" in path) for method, path in double.seen] == [
        ("GET", True),
        ("GET", False),
        ("POST", False),
        ("GET", False),
    ]


async def test_many_translations(double: NextcloudDouble, translator: NextcloudTranslator) -> None:
    """They come in any number, and are done a few at a time."""
    double.task_s = 0.3

    found = await asyncio.gather(
        *(translator.translate(f"{n}", origin="en", target="de") for n in range(20))
    )

    assert found == [f"[de] {n}" for n in range(20)]
    assert double.most_at_once <= MOST_TASKS
    await until(lambda: not double.tasks)


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("off", TranslationUnavailableError),
        ("failing", TranslationError),
        ("limited", TranslationError),
    ],
)
async def test_provider_that_does_not_translate(
    double: NextcloudDouble,
    translator: NextcloudTranslator,
    provider: str,
    expected: type[Exception],
) -> None:
    """It is said which it is, and never what was to be translated."""
    double.provider = provider

    with capture_logs() as logs, pytest.raises(expected) as found:
        await translator.translate(SPEECH, origin="en", target="de")

    assert type(found.value) is expected
    assert "swordfish" not in f"{found.value!r} {found.value.__cause__!r} {logs}"
    await until(lambda: not double.tasks)


async def test_given_up_translation_is_deleted(
    double: NextcloudDouble, translator: NextcloudTranslator
) -> None:
    """Whoever waits no more leaves no speech behind."""
    double.task_s = 60.0
    await translator.languages()
    double.faults, double.slow_s = ["slow"], 0.3

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await translator.translate(SPEECH, origin="en", target="de")

    await until(lambda: double.translated == 1 and not double.tasks)
