"""A stand-in for Nextcloud: the little of Talk's server that the signaling server asks for.

Runs as a process of its own (`python -m tests.system.world.backend`), so that it answers
whatever the test's own event loop is doing. To the signaling server it says who may come in
(`auth`), which rooms there are (`room`) and that it is alive (`ping`), and it checks the
checksum of each question. To the test it offers what a person does in Talk's page:

- `POST /world/rooms/{token}/incall`  {"session", "user", "flags"}: join or leave the call;
- `DELETE /world/rooms/{token}/call`: end the call for everyone;
- `GET /world/page.html`: the page a real browser opens.

What Nextcloud's apps ask is passed on to `PUT /world/apps` {"url"}: the double of AppAPI, which
lives in the test.
"""

import argparse
import hashlib
import hmac
import json
import secrets
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

OCS_PATH = "/ocs/v2.php/apps/spreed/api/v3/signaling/backend"
_PAGE = Path(__file__).with_name("page.html")
_OWNER = 1
_ALL_PERMISSIONS = 254

_OF_ONE_HOP = {"Connection", "Content-Length", "Host", "Transfer-Encoding"}
"""Headers that are not passed on."""


def ticket(user: str, secret: str) -> str:
    """Return what Talk's page would hand to *user* for the hello."""
    return hmac.new(secret.encode(), f"ticket {user}".encode(), hashlib.sha256).hexdigest()


def checksum(nonce: str, body: bytes, secret: str) -> str:
    """Return the checksum that goes with a request between Nextcloud and signaling server."""
    return hmac.new(secret.encode(), nonce.encode() + body, hashlib.sha256).hexdigest()


def _ocs(data: dict[str, Any]) -> web.Response:
    meta = {"status": "ok", "statuscode": 200, "message": "OK"}
    return web.json_response({"ocs": {"meta": meta, "data": data}})


class Backend:
    """Who is in which call.

    Args:
        secret: Shared with the signaling server.
        signaling: Its base URL.
    """

    def __init__(self, secret: str, signaling: str) -> None:
        self._secret = secret
        self._signaling = signaling
        self._calls: dict[str, dict[str, dict[str, Any]]] = {}
        self._client: ClientSession | None = None
        self._apps: str | None = None

    def app(self) -> web.Application:
        """Return the HTTP application."""
        app = web.Application()
        app.cleanup_ctx.append(self._session)
        app.router.add_post(OCS_PATH, self._asked)
        app.router.add_get("/ocs/v2.php/cloud/capabilities", self._capabilities)
        app.router.add_get("/world/page.html", self._page)
        app.router.add_post("/world/log", self._log)
        app.router.add_post("/world/rooms/{token}/incall", self._in_call)
        app.router.add_delete("/world/rooms/{token}/call", self._end)
        app.router.add_put("/world/apps", self._set_apps)
        app.router.add_route("*", "/ocs/{rest:.*}", self._pass_on)
        return app

    async def _session(self, _app: web.Application) -> Any:
        async with ClientSession() as self._client:
            yield

    async def _capabilities(self, _request: web.Request) -> web.Response:
        return _ocs({"capabilities": {"spreed": {"features": ["signaling-v3"], "config": {}}}})

    async def _asked(self, request: web.Request) -> web.Response:
        """Answer the signaling server."""
        body = await request.read()
        nonce = request.headers.get("Spreed-Signaling-Random", "")
        given = request.headers.get("Spreed-Signaling-Checksum", "")
        if not hmac.compare_digest(given, checksum(nonce, body, self._secret)):
            raise web.HTTPForbidden(text="wrong checksum")
        match json.loads(body):
            case {"type": "auth", "auth": {"params": {"userid": str(user), "ticket": str(given)}}}:
                return _ocs(self._auth(user, given))
            case {"type": "room", "room": {"roomid": str(token), "action": "leave", **rest}}:
                self._calls.get(token, {}).pop(str(rest.get("sessionid")), None)
                return _ocs(self._room(token))
            case {"type": "room", "room": {"roomid": str(token)}}:
                return _ocs(self._room(token))
            case {"type": "ping", "ping": {"roomid": str(token)}}:
                return _ocs({"type": "room", "room": {"version": "1.0", "roomid": token}})
            case _:
                raise web.HTTPBadRequest(text="unknown question")

    def _auth(self, user: str, given: str) -> dict[str, Any]:
        if not hmac.compare_digest(given, ticket(user, self._secret)):
            error = {"code": "invalid_ticket", "message": "The ticket is not valid."}
            return {"type": "error", "error": error}
        name = {"displayname": user.capitalize()}
        return {"type": "auth", "auth": {"version": "1.0", "userid": user, "user": name}}

    def _room(self, token: str) -> dict[str, Any]:
        properties = {"name": token, "type": 2}
        room = {"version": "1.0", "roomid": token, "properties": properties}
        return {"type": "room", "room": room}

    async def _page(self, _request: web.Request) -> web.FileResponse:
        return web.FileResponse(_PAGE)

    async def _log(self, request: web.Request) -> web.Response:
        print("page:", await request.text(), flush=True)  # noqa: T201 - this is its log
        return web.Response()

    async def _in_call(self, request: web.Request) -> web.Response:
        """Let one person join, change or leave the call, as Talk tells it."""
        asked = await request.json()
        call = self._calls.setdefault(request.match_info["token"], {})
        changed = {
            "inCall": asked["flags"],
            "lastPing": int(time.time()),
            # Talk sends its own id twice; the signaling server puts its own in the first.
            "sessionId": asked["session"],
            "nextcloudSessionId": asked["session"],
            "participantType": _OWNER,
            "participantPermissions": _ALL_PERMISSIONS,
            "actorType": "users",
            "actorId": asked["user"],
            "userId": asked["user"],
        }
        call[asked["session"]] = changed
        incall = {"incall": asked["flags"], "changed": [changed], "users": list(call.values())}
        await self._tell(request.match_info["token"], incall)
        return web.Response()

    async def _end(self, request: web.Request) -> web.Response:
        """End the call for everyone, as Talk tells it: once for all, then each."""
        token = request.match_info["token"]
        call = self._calls.pop(token, {})
        await self._tell(token, {"incall": 0, "all": True})
        gone = [{**person, "inCall": 0} for person in call.values()]
        await self._tell(token, {"incall": 0, "changed": gone, "users": gone})
        return web.Response()

    async def _set_apps(self, request: web.Request) -> web.Response:
        self._apps = (await request.json())["url"]
        return web.Response()

    async def _pass_on(self, request: web.Request) -> web.Response:
        """Let somebody else answer an app."""
        if self._apps is None:
            raise web.HTTPServiceUnavailable(text="nobody plays AppAPI")
        assert self._client is not None
        headers = {k: v for k, v in request.headers.items() if k.title() not in _OF_ONE_HOP}
        async with self._client.request(
            request.method,
            self._apps + request.path_qs,
            headers=headers,
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                content_type=answer.content_type,
            )

    async def _tell(self, token: str, incall: dict[str, Any]) -> None:
        """Push a change to the signaling server."""
        assert self._client is not None
        body = json.dumps({"type": "incall", "incall": incall}).encode()
        nonce = secrets.token_hex(32)
        headers = {
            "Content-Type": "application/json",
            "Spreed-Signaling-Random": nonce,
            "Spreed-Signaling-Checksum": checksum(nonce, body, self._secret),
        }
        url = f"{self._signaling}/api/v1/room/{token}"
        async with self._client.post(url, data=body, headers=headers) as answer:
            if answer.status != HTTPStatus.OK:
                raise web.HTTPBadGateway(text=await answer.text())


def main() -> None:
    """Serve until ended."""
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--secret", required=True)
    options.add_argument("--signaling", required=True)
    asked = options.parse_args()
    backend = Backend(asked.secret, asked.signaling)
    web.run_app(backend.app(), host="127.0.0.1", port=asked.port)


if __name__ == "__main__":
    main()
