"""Secrets and speech stay out of logs, errors, metrics and health, at any level.

The whole service runs through a call, through bad requests and through faults; then all that it
said is searched for all that it must not say. Spec: observability/Privacy
"""

import asyncio
import base64
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import structlog

from livebot import logs
from livebot.app import App
from livebot.errors import EngineError
from livebot.settings import load_settings
from livebot.stt import registry
from tests.support import wire
from tests.support.asking import app_api, bearer
from tests.support.nextcloud_double import NextcloudDouble
from tests.support.scripted_engine import ScriptedEngine, words
from tests.support.scripted_server import ScriptedServer, scripted_server
from tests.support.sender import loopback_only, sender

CALLS = "/api/v1/call/transcribe"

KEY = "KEY-0123456789abcdef"
APP_SECRET = "APP-0123456789abcdef"
CREDENTIAL = "TURN-0123456789abcdef"
WRONG_KEY = "WRONGKEY-0123456789abcdef"
WRONG_SECRET = "WRONGAPP-0123456789abcdef"
TOKEN, OTHER_TOKEN = "zq8w7e6r5t4y", "m1n2b3v4c5x6"
READER = "TALK-0123456789abcdef"
ALICE = "HPB-0123456789abcdef"

SETTINGS: dict[str, Any] = {
    "internal_secret": "INTERNAL-0123456789abcdef",
    "modal_key": "MODALKEY-0123456789abcdef",
    "modal_secret": "MODALSECRET-0123456789abcdef",
    "moshi_key": "MOSHI-0123456789abcdef",
    "ice_servers": json.dumps(
        [{"urls": ["turn:127.0.0.1:9"], "username": "u", "credential": "ICE-0123456789abcdef"}]
    ),
    "api_keys": f"ops:{KEY}",
    "app_id": "live_transcription",
    "app_version": "1.2.3",
    "app_secret": APP_SECRET,
    "max_lag_ms": 10_000,
    "port": 0,
}

SPOKEN = ["xylophones", "zeppelins"]

HIDDEN = [
    KEY,
    APP_SECRET,
    base64.b64encode(f":{APP_SECRET}".encode()).decode(),
    CREDENTIAL,
    WRONG_KEY,
    WRONG_SECRET,
    *("INTERNAL-", "MODALKEY-", "MODALSECRET-", "MOSHI-", "ICE-0123"),
    *("turn-secret", "ticket-secret"),
    *SPOKEN,
]
"""In no text at all, except that the call gets what was spoken."""

IDENTIFIERS = [TOKEN, OTHER_TOKEN, READER, ALICE]
"""In no log, and in no answer but to a caller who may see the rooms."""


class Said:
    """What the service said: to the log, and in each answer that is an error or about itself."""

    def __init__(self) -> None:
        self.log = io.StringIO()
        self.answers: list[str] = []

    async def ask(
        self, http: aiohttp.ClientSession, method: str, path: str, **more: Any
    ) -> aiohttp.ClientResponse:
        """Send a request and keep the answer."""
        async with http.request(method, path, **more) as answer:
            text = await answer.text()
            if answer.status >= 400 or method == "GET":  # others repeat the room to who named it
                self.answers.append(f"{answer.headers} {text}")
            return answer


@pytest.fixture
def said() -> Iterator[Said]:
    """Log everything there is, of libraries too, into memory."""
    root, found = logging.getLogger(), Said()
    before = root.handlers[:], root.level
    logs.configure("debug", stream=found.log)
    yield found
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """Hear what the test says."""
    found = ScriptedEngine()
    monkeypatch.setattr(registry, "load", lambda _name, _options: found)
    return found


@asynccontextmanager
async def service() -> AsyncIterator[tuple[ScriptedServer, aiohttp.ClientSession]]:
    """Run the service as an app, with a signaling server and a Nextcloud."""
    double = NextcloudDouble(secret=APP_SECRET, turn_urls=["turn:127.0.0.1:9?transport=tcp"])
    async with scripted_server() as server, double.serve():
        double.hpb = server.url
        given = SETTINGS | {"hpb_url": server.url, "nextcloud_url": double.url}
        settings = await asyncio.to_thread(lambda: load_settings(**given))
        async with (
            App(settings) as app,
            aiohttp.ClientSession(f"http://127.0.0.1:{app.port}") as http,
        ):
            yield server, http


async def enable(said: Said, http: aiohttp.ClientSession) -> None:
    """Be the Nextcloud that enables its app."""
    headers = app_api(APP_SECRET, user="")
    answer = await said.ask(http, "PUT", "/enabled?enabled=1", headers=headers)
    assert answer.status == 200


async def call(
    said: Said, server: ScriptedServer, http: aiohttp.ClientSession, engine: ScriptedEngine
) -> None:
    """Caption a call, with an engine that breaks once and a connection that is lost."""
    body = {"roomToken": TOKEN, "ncSessionId": READER, "enable": True, "langId": "en"}
    answer = await said.ask(http, "POST", CALLS, json=body, headers=app_api(APP_SECRET))
    assert answer.status == 200
    await server.wait_for("room")
    people = [{"sessionId": ALICE, "nextcloudSessionId": READER, "inCall": 3, "userId": "alice"}]
    await server.send(wire.event("participants", "update", roomid=TOKEN, users=people))
    await server.wait_for("requestoffer")
    await server.send(wire.offer(ALICE, "6", f"v=0\r\na=ice-pwd:{CREDENTIAL}\r\nm=nonsense"))
    async with sender() as source:
        await server.wait_for("requestoffer", count=2)
        await server.send(wire.offer(ALICE, "7", await source.offer()))
        accepted = await server.wait_for("answer", deadline_s=20)
        await source.accept(accepted["message"]["data"]["payload"]["sdp"])
        stream = await engine.stream()
        stream.say(*words(f"{' '.join(SPOKEN)}."))
        await server.wait_for("transcript")
        stream.fail(EngineError("it broke"))
        await engine.stream(1)
        await server.drop()
        await server.wait_for("hello", count=2)


def bad_requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield requests that are wrong in many ways, all with something to hide."""
    right = bearer(KEY)
    turn = {"urls": "turn:evil.example", "username": "u", "credential": CREDENTIAL}
    yield "GET", CALLS, {"headers": bearer(WRONG_KEY)}
    yield "GET", CALLS, {"headers": app_api(WRONG_SECRET)}
    yield "GET", f"/{WRONG_KEY}?key={WRONG_KEY}", {"headers": bearer(WRONG_KEY)}
    yield "PUT", "/enabled?enabled=0", {"headers": app_api(WRONG_SECRET)}
    yield "PUT", f"/enabled?enabled={CREDENTIAL}", {"headers": app_api(APP_SECRET)}
    yield "PATCH", CALLS, {"headers": right}
    yield "GET", f"{CALLS}?backend={CREDENTIAL}", {"headers": right}
    yield "GET", f"/{CREDENTIAL}", {"headers": right}
    yield "DELETE", f"{CALLS}/{CREDENTIAL}", {"headers": right}
    yield "DELETE", f"{CALLS}/{OTHER_TOKEN}", {"headers": right}
    for servers in ([turn], turn, [{**turn, "urls": CREDENTIAL}], CREDENTIAL, [[CREDENTIAL]]):
        body: dict[str, Any] = {"roomToken": TOKEN, "turnServers": servers}
        yield "POST", CALLS, {"headers": right, "json": body}
    for name in ("roomToken", "ncSessionId", "langId", "enable", "translationTargetLangId"):
        body = {"roomToken": TOKEN, "ncSessionId": READER, name: {"credential": CREDENTIAL}}
        yield "POST", CALLS, {"headers": right, "json": body}
    text = f'{{"roomToken": "{TOKEN}", "turnServers": "{CREDENTIAL}"'
    yield "POST", CALLS, {"headers": right | {"Content-Type": "application/json"}, "data": text}
    yield "POST", CALLS, {"headers": right | {"Content-Type": CREDENTIAL}, "data": text}
    for path in ("/api/v1/call/set-language", "/api/v1/translation/set-target-language"):
        body = {"roomToken": OTHER_TOKEN, "ncSessionId": READER, "langId": CREDENTIAL}
        yield "POST", path, {"headers": right, "json": body}


async def malformed(said: Said, http: aiohttp.ClientSession) -> None:
    """Send what is no HTTP."""
    assert http._base_url is not None
    for head in (f"GET / HTTP/1.1\r\nAuthorization: Bearer {KEY}\0", CREDENTIAL, f"{KEY}: {KEY}"):
        reader, writer = await asyncio.open_connection("127.0.0.1", http._base_url.port)
        writer.write(head.encode() + b"\r\n\r\n")
        said.answers.append((await reader.read()).decode())
        writer.close()
        await writer.wait_closed()


async def test_nothing_that_is_hidden_is_said(
    said: Said, engine: ScriptedEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    """Through a call, bad requests, faults and the end."""
    with loopback_only():
        async with service() as (server, http):
            await enable(said, http)
            await call(said, server, http, engine)
            statuses = [
                (await said.ask(http, method, path, **more)).status
                for method, path, more in bad_requests()
            ]
            await malformed(said, http)
            for path in ("/healthz", "/readyz", "/heartbeat", "/metrics", "/openapi.json"):
                await said.ask(http, "GET", path, headers=bearer(KEY))
            async with http.get(CALLS, headers=bearer(KEY)) as listed:
                rooms = await listed.text()

    assert set(statuses) <= {400, 401, 404, 405, 412}, statuses
    assert all(one in str(server.of("transcript")) for one in SPOKEN)
    log = said.log.getvalue()
    assert "reader_added" in log
    assert "caller_refused" in log
    everything = {
        "log": log,
        "answers": "\n".join(said.answers),
        "list of rooms": rooms,
        "output": "".join(capfd.readouterr()),
    }
    for where, text in everything.items():
        assert [secret for secret in HIDDEN if secret in text] == [], where
    for where in ("log", "answers", "output"):
        assert [one for one in IDENTIFIERS if one in everything[where]] == [], where


@pytest.mark.usefixtures("engine")
async def test_a_bug_quotes_nothing(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where our own code fails, the traceback shows lines and no values."""
    monkeypatch.setattr("livebot.api.calls.Calls._list", _buggy, raising=True)
    async with service() as (_, http):
        await enable(said, http)
        answer = await said.ask(http, "GET", f"{CALLS}?x={CREDENTIAL}", headers=bearer(KEY))

    log = said.log.getvalue()
    assert answer.status == 500
    assert "RuntimeError" in log
    for text in (log, *said.answers):
        assert [secret for secret in HIDDEN if secret in text] == []


async def _buggy(_: object, request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
    secret = request.query["x"]
    raise RuntimeError(f"a bug of {len(secret)}")
