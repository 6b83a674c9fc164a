"""What the doctor finds at a server that answers."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from livebot import doctor
from livebot.doctor import Finding
from livebot.errors import EngineError
from livebot.settings import Settings, load_settings
from livebot.settings.backends import parse_backends
from livebot.stt import registry
from tests.support.nextcloud_double import NextcloudDouble
from tests.support.scripted_engine import ScriptedEngine
from tests.support.scripted_server import scripted_server


@pytest.fixture
def complete() -> Settings:
    """Return settings that suffice; the server's address is put in later."""
    return load_settings(
        hpb_url="ws://127.0.0.1:1", internal_secret="s", engine="local", language="en"
    )


def at(settings: Settings, url: str) -> Settings:
    """Return the settings with another signaling server."""
    return settings.model_copy(update={"hpb_url": url})


async def findings(settings: Settings) -> list[Finding]:
    """Return all findings."""
    return [finding async for finding in doctor.examine(settings)]


async def test_all_is_well(monkeypatch: pytest.MonkeyPatch, complete: Settings) -> None:
    """Settings, server and engine work, and each says so. Spec: command-line/Doctor."""
    monkeypatch.setattr(registry, "load", lambda *_: ScriptedEngine())
    async with scripted_server() as server:
        found = await findings(at(complete, server.url))

    assert [(one.what, one.ok) for one in found] == [
        ("settings", True),
        ("database", True),
        ("signaling server", True),
        ("engine local", True),
        ("language en", True),
    ]
    assert "http://127.0.0.1" in found[2].detail, "the guessed Nextcloud is told"


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("invalid_token", "LT_INTERNAL_SECRET"),
        ("invalid_client_type", "internalsecret"),
        ("invalid_backend", "NEXTCLOUD_URL"),
    ],
)
async def test_refusals_have_their_cure(complete: Settings, code: str, cure: str) -> None:
    """Each of the server's refusals names what to change.

    Spec: command-line/Doctor, configuration/Nextcloud address.
    """
    async with scripted_server() as server:
        server.hello_error = code
        found = await doctor.check_hpb(at(complete, server.url))

    assert not found.ok
    assert cure in found.cure


async def test_engine_faults_are_findings(
    monkeypatch: pytest.MonkeyPatch, complete: Settings
) -> None:
    """An engine that fails, or does not know the language, is told with its cure."""

    class Broken(ScriptedEngine):
        async def check(self) -> str:
            raise EngineError("no model: do this")

    monkeypatch.setattr(registry, "load", lambda *_: Broken())
    broken = await doctor.check_engine(complete, "local")
    foreign = await doctor.check_language(complete.model_copy(update={"language": "tlh"}))

    assert (broken.ok, broken.detail) == (False, "no model: do this")
    assert not foreign.ok
    assert "LT_DEFAULT_LANGUAGE to one of en" in foreign.cure


async def test_every_engine_of_the_list_is_tried(
    monkeypatch: pytest.MonkeyPatch, complete: Settings
) -> None:
    """Each has its line; a language that one of them understands will do.

    Spec: engines/Failover.
    """

    def load(name: str, _: object) -> ScriptedEngine:
        return ScriptedEngine({"fr": "French"} if name == "kyutai" else {"en": "English"})

    monkeypatch.setattr(registry, "load", load)
    several = complete.model_copy(update={"engine": "local,kyutai", "language": "fr"})

    found = {one.what: one for one in await findings(several)}

    assert list(found)[3:] == ["engine local", "engine kyutai", "language fr"]
    assert found["language fr"].detail == "understood by kyutai"


async def test_every_backend_is_tried(monkeypatch: pytest.MonkeyPatch, complete: Settings) -> None:
    """Each has its lines, with its name; one that fails does not hide the others.

    Spec: command-line/Doctor, configuration/Several backends.
    """
    monkeypatch.setattr(registry, "load", lambda *_: ScriptedEngine())
    async with scripted_server() as server:
        backends = parse_backends(
            [
                {"name": "dead", "LT_HPB_URL": "ws://127.0.0.1:1", "NEXTCLOUD_URL": "http://a"},
                {"name": "well", "LT_HPB_URL": server.url, "LT_DEFAULT_LANGUAGE": "tlh"},
            ]
        )
        found = await findings(complete.model_copy(update={"backends": backends}))

    assert [(one.what, one.ok) for one in found] == [
        ("settings", True),
        ("database", True),
        ("backend dead: signaling server", False),
        ("backend dead: engine local", True),
        ("backend dead: language en", True),
        ("backend well: signaling server", True),
        ("backend well: engine local", True),
        ("backend well: language tlh", False),
    ]


def as_app(settings: Settings, double: NextcloudDouble) -> Settings:
    """Return the settings of the app that this Nextcloud knows, without a signaling server."""
    own = {
        "hpb_url": None,
        "app_id": double.app_id,
        "app_version": double.app_version,
        "aa_version": "33.0.0",
        "app_secret": SecretStr(double.secret),
        "nextcloud_url": double.url,
    }
    return settings.model_copy(update=own)


async def test_an_app_asks_where_the_server_is(
    monkeypatch: pytest.MonkeyPatch, complete: Settings
) -> None:
    """Nextcloud is tried, and the signaling server that Talk's settings name.

    Spec: command-line/Doctor.
    """
    monkeypatch.setattr(registry, "load", lambda *_: ScriptedEngine())
    async with scripted_server() as server, NextcloudDouble(hpb=server.url).serve() as double:
        found = await findings(as_app(complete, double))

    assert [(one.what, one.ok) for one in found[:4]] == [
        ("settings", True),
        ("database", True),
        ("Nextcloud", True),
        ("signaling server", True),
    ]
    assert "STUN and TURN servers: 2" in found[2].detail


async def test_an_app_that_nextcloud_does_not_know(complete: Settings) -> None:
    """The wrong secret is told with its cure, and not quoted."""
    async with NextcloudDouble().serve() as double:
        wrong = as_app(complete, double).model_copy(update={"app_secret": SecretStr("hunter2")})

        nextcloud, hpb = await doctor.check_nextcloud(wrong), await doctor.check_hpb(wrong)

    assert not nextcloud.ok
    assert not hpb.ok
    assert "APP_SECRET" in nextcloud.cure
    assert hpb.detail.startswith("not tried")
    assert "hunter2" not in f"{nextcloud}{hpb}"


async def test_nothing_is_tried_without_its_settings(complete: Settings) -> None:
    """What is missing is told by the settings' own line."""
    app = complete.model_copy(update={"hpb_url": None, "app_id": "app"})

    assert (await doctor.check_nextcloud(app)).detail == "not tried"
    assert (await doctor.check_hpb(app)).detail == "not tried"


def test_the_table_shows_what_backends_have_and_no_secret() -> None:
    """Every variable, then each backend's own. Spec: configuration/Secrets."""
    secret = "hunter2hunter2hunter2"
    settings = load_settings(
        internal_secret=secret,
        turn_hosts="a,b",
        stt_stream_url=f"wss://stt?key={secret}",
        api_keys=f"ops:{secret}",
        backends=[
            {
                "name": "school",
                "LT_INTERNAL_SECRET": secret,
                "LT_ICE_SERVERS": [{"urls": "turn:t", "credential": secret}],
                "LT_API_KEYS": f"own:{secret}2",
            }
        ],
    )

    found = dict(doctor.effective(settings))

    assert secret not in str(found)
    assert found["LT_TURN_HOSTS"] == "a, b"
    assert found["LT_BACKENDS"] == "school"
    assert found["LT_API_KEYS"] == "ops: hidden"
    assert found["school: LT_API_KEYS"] == "own: hidden"
    assert found["school: LT_ICE_SERVERS"] == "turn:t"
    assert found["school: LT_INTERNAL_SECRET"] == "set, hidden"


async def test_without_calls_nothing_of_them_is_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Files and live audio need a database and an engine. Spec: command-line/Doctor."""
    monkeypatch.setattr(registry, "load", lambda *_: ScriptedEngine())
    settings = await asyncio.to_thread(lambda: load_settings(calls="off", data_dir=tmp_path))

    found = [finding.what async for finding in doctor.examine(settings)]

    assert found == ["settings", "database", "engine local", "language en"]


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the setting that names it. Spec: command-line/Doctor."""
    (tmp_path / "file").touch()
    settings = await asyncio.to_thread(
        lambda: load_settings(calls="off", data_dir=tmp_path / "file")
    )

    found = await doctor.check_store(settings)

    assert not found.ok
    assert "LT_DATA_DIR" in found.detail
