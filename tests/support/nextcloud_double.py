"""Nextcloud as its app sees it, after AppAPI's rules; shares no code with livebot.

protocols.md 3.2, and: nextcloud/app_api AppAPIService (validateExAppRequestToNC,
setAppInitProgress), nextcloud/spreed SignalingController, nextcloud/server
TaskProcessingApiController. What AppAPI itself asks of the app is in `app_api_double.py`.
Faults are fields.
"""

import asyncio
import base64
import binascii
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.support.http_faults import spoil

TRANSLATE = "core:text2text:translate"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(data: object, status: int = 200, meta: int | None = None) -> web.Response:
    """Return an OCS answer."""
    envelope = {"meta": {"status": "ok", "statuscode": meta or status}, "data": data}
    return web.json_response({"ocs": envelope}, status=status)


@dataclass
class NextcloudDouble:
    """What Nextcloud knows and does, and what it saw.

    Attributes:
        app_id: The app that is registered.
        app_version: ... in this version; an app that names none is not let in.
        secret: ... with this secret.
        enabled: Whether it may ask.
        faults: What happens to the next requests, in turn: `slow`, a fault of `http_faults.py`,
            or None.
        always: What happens to all others.
        redirect_to: Where `redirect` points.
        slow_s: How slow `slow` is.
        hpb: The signaling server in Talk's settings.
        mode: Talk's signaling mode.
        turn_s: How long TURN credentials are good; None for an account that never expires.
        turn_urls: The TURN server's addresses; none for no such server.
        clock_s: How much this clock is ahead.
        provider: Of translations: `on`, `off`, `failing` or `limited`.
        task_s: How long a translation takes.
        old: Whether Nextcloud is too old for apps' own paths.
        on_ready: What AppAPI does when progress is 100, before it answers.
        seen: Method and path of every request that was let in.
        refused: How many were not.
        progress: What was reported, with the error.
        tasks: Texts that Nextcloud holds, by task.
        translated: How many tasks there ever were.
    """

    app_id: str = "live_transcription"
    app_version: str = "1.2.3"
    secret: str = "app-secret-0123456789"
    enabled: bool = True
    faults: list[str | None] = field(default_factory=list)
    always: str | None = None
    redirect_to: str = "http://127.0.0.1:1/"
    slow_s: float = 0.3
    hpb: str = "wss://hpb.example.com/standalone-signaling/"
    mode: str = "external"
    turn_s: float | None = 86_400
    turn_urls: list[str] = field(default_factory=lambda: ["turn:turn.example.com:3478"])
    clock_s: float = 0.0
    provider: str = "on"
    task_s: float = 0.05
    old: bool = False
    on_ready: Callable[[], Awaitable[None]] | None = None
    port: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)
    refused: int = 0
    progress: list[tuple[int, str]] = field(default_factory=list)
    tasks: dict[int, dict[str, str]] = field(default_factory=dict)
    translated: int = 0
    most_at_once: int = 0
    _born: dict[int, float] = field(default_factory=dict)
    _is_ready: bool = False
    _scheme: str = "http"

    @property
    def url(self) -> str:
        """Nextcloud's address."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def asked(self, end: str) -> int:
        """Return how many requests were let in whose path ends so."""
        return sum(path.endswith(end) for _, path in self.seen)

    @asynccontextmanager
    async def serve(
        self, tls: ssl.SSLContext | None = None, port: int = 0
    ) -> AsyncIterator["NextcloudDouble"]:
        """Listen, on a free port unless one is given, encrypted if there is a context for it."""
        self._scheme = "https" if tls else "http"
        app = web.Application(middlewares=[self._admit])
        app.add_routes(self._routes())
        runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
            await site.start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            await runner.cleanup()

    def _routes(self) -> list[web.RouteDef]:
        apps, tasks = "/ocs/{v}/apps", "/ocs/{v}/taskprocessing"
        consumer = f"{tasks}/tasks_consumer"
        return [
            web.get(f"{apps}/spreed/api/v3/signaling/settings", self._settings),
            web.put(f"{apps}/app_api/ex-app/status", self._new(self._report)),
            web.get(f"{apps}/app_api/ex-app/state", self._new(self._state)),
            web.put(f"{apps}/app_api/apps/status/{{app}}", self._report),
            web.get(f"{consumer}/tasktypes", self._new(self._types)),
            web.get(f"{tasks}/tasktypes", self._types),
            web.post(f"{consumer}/schedule", self._new(self._schedule)),
            web.post(f"{tasks}/schedule", self._schedule),
            web.get(f"{consumer}/task/{{id}}", self._new(self._task)),
            web.get(f"{tasks}/task/{{id}}", self._task),
            web.delete(f"{consumer}/task/{{id}}", self._new(self._delete)),
            # Where there is no path for apps, somebody must be logged in.
            web.delete(f"{tasks}/task/{{id}}", self._nobody_is_logged_in),
        ]

    # -- Who is let in

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault = self.faults.pop(0) if self.faults else self.always
        if fault == "slow":
            await asyncio.sleep(self.slow_s)
        elif fault:
            return await spoil(fault, request, self.redirect_to)
        if (status := self._refusal(request)) is not None:
            self.refused += 1
            return answer([], status, meta={401: 997}.get(status))
        self.seen.append((request.method, request.path))
        return await handler(request)

    def _refusal(self, request: web.Request) -> int | None:
        """Return the status for a request that AppAPI does not let in."""
        headers = request.headers
        if headers.get("OCS-APIRequest") != "true":
            return 412
        try:
            shown = base64.b64decode(headers["AUTHORIZATION-APP-API"], validate=True).decode()
        except (KeyError, binascii.Error, UnicodeDecodeError):
            return 401
        _user, colon, secret = shown.partition(":")
        if not colon or headers.get("EX-APP-ID") != self.app_id or secret != self.secret:
            return 401
        if not headers.get("EX-APP-VERSION"):
            return 401
        return None if self.enabled or request.path.endswith("/ex-app/state") else 401

    def _new(self, handler: Handler) -> Handler:
        """Serve a path only where Nextcloud is new enough to have it."""

        async def serve(request: web.Request) -> web.StreamResponse:
            return answer([], 404, meta=998) if self.old else await handler(request)

        return serve

    async def _nobody_is_logged_in(self, _request: web.Request) -> web.Response:
        return answer([], 401, meta=997)

    # -- Talk

    async def _settings(self, _request: web.Request) -> web.Response:
        turn = [
            {"urls": self.turn_urls, "username": self._turn_user(), "credential": "turn-secret"}
        ]
        return answer(
            {
                "signalingMode": self.mode,
                "userId": None,
                "server": "" if self.mode == "internal" else self.hpb,
                "ticket": "ticket-secret",
                "stunservers": [{"urls": ["stun:stun.example.com:443"]}],
                "turnservers": turn if self.turn_urls else [],
            }
        )

    def _turn_user(self) -> str:
        if self.turn_s is None:
            return "account"
        return f"{int(time.time() + self.clock_s + self.turn_s)}:f00d"

    # -- AppAPI

    async def _state(self, _request: web.Request) -> web.Response:
        return answer(int(self.enabled))

    async def _report(self, request: web.Request) -> web.Response:
        body = await request.json()
        percent, error = body["progress"], body.get("error", "")
        if request.match_info.get("app", self.app_id) != self.app_id:
            return answer([], 404)
        if not 0 <= percent <= 100:
            return answer([], 400)
        self.progress.append((percent, error))
        was_ready, self._is_ready = self._is_ready, percent == 100 and not error
        # Said twice, it changes nothing.
        if self._is_ready and not was_ready and self.on_ready:
            await self.on_ready()
        return answer([])

    def begin_init(self) -> None:
        """Let the app ask, and wait for it to be ready."""
        self.enabled, self._is_ready = True, False

    # -- TaskProcessing

    async def _types(self, _request: web.Request) -> web.Response:
        if self.provider == "off":
            return answer({"types": []})
        names = {"en": "English", "de": "German", "pt_BR": "Portuguese (Brazil)"}
        some = [{"name": name, "value": code} for code, name in names.items()]
        shape = {
            "origin_language": [{"name": "Detect language", "value": "detect_language"}, *some],
            "target_language": some,
        }
        return answer({"types": {TRANSLATE: {"name": "Translate", "inputShapeEnumValues": shape}}})

    async def _schedule(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.provider == "off":
            return answer({"message": "The given provider is not available"}, 412)
        if self.provider == "limited":
            return answer([], 429)
        given = body["input"]
        if body["type"] != TRANSLATE or set(given) != {
            "input",
            "origin_language",
            "target_language",
        }:
            return answer({"message": f"not valid: {given}"}, 400)
        self.translated += 1
        self.tasks[self.translated] = given
        self._born[self.translated] = time.monotonic()
        self.most_at_once = max(self.most_at_once, sum(map(self._waits, self.tasks)))
        return answer({"task": self._shown(self.translated)})

    def _waits(self, number: int) -> bool:
        return time.monotonic() - self._born[number] < self.task_s

    def _shown(self, number: int) -> dict[str, object]:
        given = self.tasks[number]
        shown: dict[str, object] = {"id": number, "input": given, "output": None}
        if self._waits(number):
            return shown | {"status": "STATUS_RUNNING"}
        if self.provider == "failing":
            return shown | {"status": "STATUS_FAILED"}
        text = f"[{given['target_language']}] {given['input']}"
        return shown | {"status": "STATUS_SUCCESSFUL", "output": {"output": text}}

    async def _task(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        if number not in self.tasks:
            return answer({"message": "Task not found"}, 404)
        return answer({"task": self._shown(number)})

    async def _delete(self, request: web.Request) -> web.Response:
        self.tasks.pop(int(request.match_info["id"]), None)
        return answer(None)
