"""What Nextcloud Talk and AppAPI send, byte for byte, and what they need of the answer.

The requests are composed after Talk's `LiveTranscriptionService.php` and AppAPI's
`AppAPIService.php`: PHP's Guzzle sends them, and `json_encode` escapes slashes.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livebot.api import errors, requests, talk
from livebot.api.server import make_app, serve
from livebot.errors import QuotaError, TranslationError
from livebot.ids import RoomToken, TalkSessionId
from livebot.metrics import Metrics
from livebot.rooms.readers import Wish
from livebot.settings import Bind, Settings, load_settings
from tests.support.fake_rooms import FakeApp, FakeRoom, FakeRooms

TOKEN = RoomToken("abcd1234")
SECRET = "s3cret-of-the-app"
SESSION = TalkSessionId(("Zm9v/YmFy+IGI=" * 19)[:255])
"""255 characters of base64, slashes included."""

TALK_WAITS_S = 3.0


@dataclass
class Answer:
    """What PHP sees."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def decoded(self) -> Any:
        """Decode the body as Talk does: only where it is declared to be JSON."""
        assert "application/json" in self.headers["content-type"]
        return json.loads(self.body)

    @property
    def is_accepted(self) -> bool:
        """Whether Talk takes it for a success."""
        return 200 <= self.status < 300


class Php:
    """AppAPI's client: one connection per request, all headers of AppAPI, JSON as PHP writes it.

    Args:
        port: Where the app listens.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._requests = 0

    async def send(
        self, method: str, path: str, params: Mapping[str, object] | None = None
    ) -> Answer:
        """Send a request; AppAPI gives up after 3 s."""
        async with asyncio.timeout(TALK_WAITS_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                writer.write(self._bytes(method, path, params))
                return await _answer(reader)
            finally:
                writer.close()
                await writer.wait_closed()

    def _bytes(self, method: str, path: str, params: Mapping[str, object] | None) -> bytes:
        self._requests += 1
        authorization = base64.b64encode(f"alice:{SECRET}".encode()).decode()
        head = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            "AA-VERSION: 32.0.0",
            "EX-APP-ID: live_transcription",
            "EX-APP-VERSION: 1.2.3",
            f"AUTHORIZATION-APP-API: {authorization}",
            f"AA-REQUEST-ID: {self._requests:020}",
            "OCS-APIRequest: true",
            "User-Agent: Nextcloud-Server-Crawler",
            "Accept-Encoding: gzip",
            "Connection: close",
        ]
        body = b""
        if params is not None:
            body = json.dumps(params, separators=(",", ":")).replace("/", "\\/").encode()
            head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        elif method != "GET":
            head.append("Content-Length: 0")
        return "\r\n".join([*head, "", ""]).encode() + body


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert int(headers["content-length"]) == len(body)
    return Answer(int(first.split(" ")[1]), headers, body)


@pytest.fixture
def rooms() -> FakeRooms:
    """Return rooms without calls."""
    return FakeRooms()


@pytest.fixture
def app() -> FakeApp:
    """Return an enabled app."""
    return FakeApp()


@pytest.fixture
def settings() -> Settings:
    """Return the settings of an app; made before the loop runs."""
    return load_settings(
        api_keys=(),
        nextcloud_url="https://cloud.example",
        app_id="live_transcription",
        app_secret=SECRET,
        app_version="1.2.3",
        app_host="127.0.0.1",
        app_port=0,
        aa_version="32.0.0",
    )


@pytest.fixture
async def php(rooms: FakeRooms, app: FakeApp, settings: Settings) -> AsyncIterator[Php]:
    """Serve the app and return who calls it."""
    served = make_app({"default": rooms}, settings, Metrics(), apps={"default": app})
    async with serve(served, Bind("127.0.0.1", 0)) as port:
        yield Php(port)


async def test_enable(php: Php, rooms: FakeRooms) -> None:
    """Somebody switches captions on. Spec: talk-app/Readers."""
    answer = await php.send(
        "POST",
        "/api/v1/call/transcribe",
        {"roomToken": TOKEN, "ncSessionId": SESSION, "enable": True},
    )

    assert answer.is_accepted
    assert answer.decoded["message"]
    room = rooms.enabled[TOKEN]
    assert (room.readers, room.everybody) == ({SESSION: Wish()}, False)


async def test_enable_in_the_conversations_language(php: Php, rooms: FakeRooms) -> None:
    """Talk names one where the conversation has one. Spec: talk-app/Readers."""
    answer = await php.send(
        "POST",
        "/api/v1/call/transcribe",
        {"roomToken": TOKEN, "ncSessionId": SESSION, "enable": True, "langId": "ja"},
    )

    assert answer.is_accepted
    assert rooms.enabled[TOKEN].language == "ja"


async def test_enable_as_the_incumbent_documents_it(php: Php, rooms: FakeRooms) -> None:
    """With a language to read in; with our own `mode` on top. Spec: talk-app/Readers."""
    asked = {
        "roomToken": TOKEN,
        "ncSessionId": SESSION,
        "enable": True,
        "langId": "en",
        "translationTargetLangId": "de",
        "mode": "replace",
    }

    assert (await php.send("POST", "/api/v1/call/transcribe", asked)).is_accepted
    assert rooms.enabled[TOKEN].readers == {SESSION: Wish("replace", "de")}


async def test_disable(php: Php, rooms: FakeRooms) -> None:
    """One reader less; the others read on. Spec: talk-app/Readers."""
    other = TalkSessionId("other")
    rooms.enabled[TOKEN] = FakeRoom(readers={SESSION: Wish(), other: Wish()})

    answer = await php.send(
        "POST",
        "/api/v1/call/transcribe",
        {"roomToken": TOKEN, "ncSessionId": SESSION, "enable": False},
    )

    assert answer.is_accepted
    assert answer.decoded["message"]
    assert rooms.enabled[TOKEN].readers == {other: Wish()}


@pytest.mark.parametrize("runs", [True, False])
async def test_disable_what_is_off(php: Php, rooms: FakeRooms, runs: bool) -> None:
    """Room or reader may be gone: there is nothing to do. Spec: talk-app/Readers."""
    if runs:
        rooms.enabled[TOKEN] = FakeRoom()

    answer = await php.send(
        "POST",
        "/api/v1/call/transcribe",
        {"roomToken": TOKEN, "ncSessionId": SESSION, "enable": False},
    )

    assert answer.is_accepted
    assert (TOKEN in rooms.enabled) == runs


async def test_unsupported_language(php: Php, rooms: FakeRooms) -> None:
    """Talk logs the text of `error`. Spec: room-control/Unsupported language."""
    answer = await php.send(
        "POST",
        "/api/v1/call/transcribe",
        {"roomToken": TOKEN, "ncSessionId": SESSION, "enable": True, "langId": "tlh"},
    )

    assert answer.status == 400
    assert "tlh" in answer.decoded["error"]
    assert answer.decoded["supported"] == sorted(rooms.languages)


async def test_languages(php: Php) -> None:
    """A map is what makes the caption button work. Spec: room-control/Languages."""
    answer = await php.send("GET", "/api/v1/languages")

    assert answer.is_accepted
    assert answer.decoded["en"] == {
        "name": "English",
        "metadata": {"separator": " ", "rtl": False},
    }
    assert answer.decoded["ja"]["metadata"]["separator"] == ""


async def test_set_language(php: Php, rooms: FakeRooms) -> None:
    """In mid-call. Spec: talk-app/Language of a call."""
    rooms.enabled[TOKEN] = FakeRoom()

    answer = await php.send(
        "POST", "/api/v1/call/set-language", {"roomToken": TOKEN, "langId": "ja"}
    )

    assert answer.is_accepted
    assert answer.decoded["message"]
    assert rooms.enabled[TOKEN].language == "ja"


async def test_set_language_without_a_call(php: Php) -> None:
    """Talk keeps the language for the next call where this is 404, and only then.

    Spec: talk-app/Language of a call.
    """
    answer = await php.send(
        "POST", "/api/v1/call/set-language", {"roomToken": TOKEN, "langId": "en"}
    )

    assert answer.status == 404
    assert answer.decoded["error"]


@pytest.mark.parametrize("language", [None, ""])
async def test_set_language_to_none(php: Php, rooms: FakeRooms, language: str | None) -> None:
    """It is the default again. Spec: talk-app/Language of a call."""
    rooms.enabled[TOKEN] = FakeRoom("ja")

    asked = {"roomToken": TOKEN, "langId": language}
    assert (await php.send("POST", "/api/v1/call/set-language", asked)).is_accepted
    assert rooms.enabled[TOKEN].language == "en"


@pytest.mark.parametrize("runs", [True, False])
async def test_leave(php: Php, rooms: FakeRooms, runs: bool) -> None:
    """Done either way. Spec: talk-app/Leave."""
    if runs:
        rooms.enabled[TOKEN] = FakeRoom()

    answer = await php.send("POST", "/api/v1/call/leave", {"roomToken": TOKEN})

    assert (answer.status, bool(answer.decoded["message"])) == (200, True)
    assert not rooms.enabled


async def test_capabilities(php: Php) -> None:
    """Talk takes the target languages from here, and needs at least one.

    Spec: talk-app/Capabilities.
    """
    answer = await php.send("GET", "/capabilities")

    assert answer.is_accepted
    found = answer.decoded["live_transcription"]
    assert found["features"] == ["live_transcription", "live_translation"]
    assert "en" in found["live_transcription"]["supported_languages"]
    both = found["live_translation"]["supported_translation_languages"]
    assert set(both["target_languages"]) == {"de", "fr"}
    assert "en" in both["origin_languages"]


@pytest.mark.parametrize("fault", [None, TranslationError("not now")])
async def test_capabilities_without_translation(
    php: Php, rooms: FakeRooms, fault: Exception | None
) -> None:
    """Captions are offered all the same. Spec: talk-app/Capabilities."""
    rooms.translates, rooms.fault = fault is not None, fault

    answer = await php.send("GET", "/capabilities")

    assert answer.is_accepted
    found = answer.decoded["live_transcription"]
    assert found["features"] == ["live_transcription"]
    assert "live_translation" not in found


async def test_translation_languages(php: Php) -> None:
    """Talk names the room. Spec: talk-app/Translation."""
    answer = await php.send("GET", f"/api/v1/translation/languages?roomToken={TOKEN}")

    assert answer.is_accepted
    assert set(answer.decoded) == {"origin_languages", "target_languages"}


async def test_no_translation_languages(php: Php, rooms: FakeRooms) -> None:
    """By 550 Talk knows that there is no translator. Spec: talk-app/Translation."""
    rooms.translates = False

    answer = await php.send("GET", f"/api/v1/translation/languages?roomToken={TOKEN}")

    assert (answer.status, bool(answer.decoded["error"])) == (550, True)


async def test_translation_languages_that_do_not_come(
    php: Php, rooms: FakeRooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A translator that hangs is not waited for. Spec: talk-app/In time."""
    rooms.delay_s = 60
    monkeypatch.setattr(talk, "TRANSLATIONS_S", 0.1)

    answer = await php.send("GET", f"/api/v1/translation/languages?roomToken={TOKEN}")
    assert (answer.status, "retry-after" in answer.headers) == (503, True)
    answer = await php.send("GET", "/capabilities")
    assert answer.is_accepted


def test_all_deadlines_are_shorter_than_talks() -> None:
    """The inner ones end first. Spec: talk-app/In time."""
    assert talk.TRANSLATIONS_S < errors.HANDLER_S <= TALK_WAITS_S
    assert requests.BODY_S < errors.HANDLER_S


@pytest.mark.parametrize(("asked", "kept"), [("fr", "fr"), (None, None)])
async def test_set_target(php: Php, rooms: FakeRooms, asked: str | None, kept: str | None) -> None:
    """Null is the language that is spoken. Spec: talk-app/Translation."""
    rooms.enabled[TOKEN] = FakeRoom(readers={SESSION: Wish("append", "de")})

    answer = await php.send(
        "POST",
        "/api/v1/translation/set-target-language",
        {"roomToken": TOKEN, "ncSessionId": SESSION, "langId": asked},
    )

    assert answer.is_accepted
    assert answer.decoded["message"]
    assert rooms.enabled[TOKEN].readers == {SESSION: Wish("append", kept)}


@pytest.mark.parametrize(
    ("runs", "reads", "translates", "target", "status"),
    [
        (False, False, True, "de", 404),
        (True, False, True, "de", 412),
        (True, True, True, "tlh", 400),
        (True, True, False, "de", 550),
    ],
)
async def test_targets_that_cannot_be(
    php: Php, rooms: FakeRooms, runs: bool, reads: bool, translates: bool, target: str, status: int
) -> None:
    """Each in its own way. Spec: talk-app/Translation."""
    rooms.translates = translates
    if runs:
        rooms.enabled[TOKEN] = FakeRoom(readers={SESSION: Wish()} if reads else {})

    answer = await php.send(
        "POST",
        "/api/v1/translation/set-target-language",
        {"roomToken": TOKEN, "ncSessionId": SESSION, "langId": target},
    )

    assert (answer.status, bool(answer.decoded["error"])) == (status, True)


async def test_quota(php: Php, rooms: FakeRooms) -> None:
    """Whoever had its share is told when to come back. Spec: room-control/Limits."""
    rooms.fault = QuotaError("2 rooms are allowed", retry_in_s=12)

    answer = await php.send(
        "POST", "/api/v1/call/transcribe", {"roomToken": TOKEN, "ncSessionId": SESSION}
    )

    assert (answer.status, answer.headers["retry-after"]) == (429, "12")


async def test_lifecycle(php: Php, app: FakeApp) -> None:
    """AppAPI's order: heartbeat, init, enable. Spec: talk-app/Lifecycle."""
    app.enabled = False
    heartbeat = await php.send("GET", "/heartbeat")
    assert (heartbeat.status, heartbeat.decoded) == (200, {"status": "ok"})
    assert (await php.send("POST", "/init")).decoded == {}
    assert app.inits == 1
    assert (await php.send("GET", "/enabled")).decoded == {"enabled": False}
    for _ in range(2):
        answer = await php.send("PUT", "/enabled?enabled=1")
        assert (answer.status, answer.decoded) == (200, {"error": ""})
    assert (await php.send("GET", "/enabled")).decoded == {"enabled": True}


async def test_enable_that_fails(php: Php, app: FakeApp) -> None:
    """AppAPI shows the text to the administrator. Spec: talk-app/Lifecycle."""
    app.trouble = "no engine"

    answer = await php.send("PUT", "/enabled?enabled=1")

    assert (answer.status, answer.decoded) == (200, {"error": "no engine"})


async def test_disabled(php: Php, app: FakeApp, rooms: FakeRooms) -> None:
    """While the app is disabled there are no calls, and it says why. Spec: talk-app/Lifecycle."""
    for _ in range(2):
        assert (await php.send("PUT", "/enabled?enabled=0")).decoded == {"error": ""}
    assert app.enabled is False

    answer = await php.send(
        "POST", "/api/v1/call/transcribe", {"roomToken": TOKEN, "ncSessionId": SESSION}
    )
    assert (answer.status, "disabled" in answer.decoded["error"]) == (503, True)
    assert not rooms.enabled
    for path in ("/heartbeat", "/capabilities", "/enabled", "/healthz"):
        assert (await php.send("GET", path)).is_accepted


@pytest.mark.parametrize("query", ["", "?enabled=", "?enabled=2", "?enable=1"])
async def test_unclear_wish_to_enable(php: Php, app: FakeApp, query: str) -> None:
    """It is neither yes nor no. Spec: talk-app/Lifecycle."""
    answer = await php.send("PUT", f"/enabled{query}")

    assert (answer.status, app.enabled) == (400, True)


async def test_unix_socket(
    rooms: FakeRooms, app: FakeApp, settings: Settings, tmp_path: Path
) -> None:
    """HaRP's tunnel ends at a unix socket; it is gone when we are. Spec: talk-app/HaRP."""
    path = tmp_path / "exapp.sock"
    served = make_app({"default": rooms}, settings, Metrics(), apps={"default": app})
    async with serve(served, Bind("127.0.0.1", 0, path)) as port:
        assert port == 0
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET /heartbeat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await _answer(reader)).decoded == {"status": "ok"}
        writer.close()
        await writer.wait_closed()
    assert not path.exists()
