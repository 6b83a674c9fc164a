"""A hub of models on this machine, and what a network can do to who downloads from it."""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

PIECE = 64 << 10

SIGNED = "name=%22model%22%3B+x&Signature=a~b%2Bc%2fd__"
"""As storage services sign addresses: written in another way it does not count."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request for a file's content.

    Attributes:
        kind: `cut` closes the connection, `hang` sends no more, `end` ends the answer properly,
            `flip` changes a bit, `more` sends more than there is, `whole` sends all of it where
            the rest was asked for, `html` is a login page, and a number is an answer's status.
        after: How many bytes come before.
    """

    kind: str
    after: int = 0


@dataclass(slots=True)
class ModelHub:
    """Files of one model, and who asked for what.

    Attributes:
        files: By name.
        faults: What happens to the next requests for the content of a file, one after another.
        head_faults: What status the next questions about a file get.
        plain: Whether it is a web server that knows no checksums, revisions or redirects.
        revision: What the files are a version of.
        next_files: What the files will be once the next question was answered: a new version.
        asked: How often each kind of request came: `HEAD model.bin`.
        sent: Bytes of content sent, per file.
        rests: The offsets of requests for the rest of a file.
    """

    files: dict[str, bytes]
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    head_faults: dict[str, deque[int]] = field(default_factory=dict)
    plain: bool = False
    revision: str = "c0ffee" * 6 + "cafe"
    next_files: dict[str, bytes] | None = None
    asked: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    rests: list[int] = field(default_factory=list)
    url: str = ""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    _history: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "ModelHub":
        """Return a hub with the files of a folder."""
        return cls({path.name: path.read_bytes() for path in sorted(folder.iterdir())})

    def spoil(self, name: str, faults: Iterable[Fault]) -> None:
        """Let the next requests for a file's content go wrong."""
        self.faults[name] = deque(faults)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["ModelHub"]:
        """Serve at `url`."""
        app = web.Application()
        app.router.add_route("*", "/{owner}/{repo}/resolve/{revision}/{name}", self._resolve)
        app.router.add_get("/content/{revision}/{name}", self._content)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            self.released.set()
            await runner.cleanup()

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        """Answer as the hub does: large files lie elsewhere, and are named by their SHA-256."""
        name = request.match_info["name"]
        self.asked[f"{request.method} {name}"] += 1
        if request.method == "HEAD" and (waiting := self.head_faults.get(name)):
            return web.Response(status=waiting.popleft())
        files = self.version(request.match_info["revision"])
        if name not in files:
            return web.Response(status=404)
        asked = request.match_info["revision"]
        data, revision = files[name], self.revision if asked == "main" else asked
        self._push()
        if self.plain:
            return await self._answer(request, data, {})
        headers = {"X-Repo-Commit": revision}
        if len(data) <= PIECE:
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
            headers["ETag"] = f'"{blob.hexdigest()}"'
            return await self._answer(request, data, headers)
        headers["X-Linked-Etag"] = f'"{hashlib.sha256(data).hexdigest()}"'
        headers["X-Linked-Size"] = str(len(data))
        headers["Location"] = f"/content/{revision}/{name}?{SIGNED}"
        return web.Response(status=302, headers=headers)

    def version(self, revision: str) -> dict[str, bytes]:
        """Return the files of a revision, or of a branch."""
        return (
            self._history.get(revision, {})
            if revision not in {"main", self.revision}
            else self.files
        )

    def _push(self) -> None:
        if self.next_files is not None:
            self._history[self.revision] = self.files
            self.files, self.next_files = self.next_files, None
            self.revision = self.revision[::-1]

    async def _content(self, request: web.Request) -> web.StreamResponse:
        if not request.raw_path.endswith(f"?{SIGNED}"):
            return web.Response(status=403)
        files = self.version(request.match_info["revision"])
        return await self._answer(
            request, files[request.match_info["name"]], {"ETag": '"store-5"'}
        )

    async def _answer(
        self, request: web.Request, data: bytes, headers: dict[str, str]
    ) -> web.StreamResponse:
        name = request.match_info["name"]
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(data))})
        waiting = self.faults.get(name)
        fault = waiting.popleft() if waiting else Fault("none")
        if fault.kind.isdecimal():
            return web.Response(status=int(fault.kind))
        if fault.kind == "html":
            return web.Response(text="<html>Log in</html>", content_type="text/html")
        return await _Sending(self, request, data, headers, fault).run()


class _Sending:
    """One answer with content."""

    def __init__(
        self,
        hub: ModelHub,
        request: web.Request,
        data: bytes,
        headers: dict[str, str],
        fault: Fault,
    ) -> None:
        self._hub = hub
        self._request = request
        self._data = data
        self._headers = headers
        self._fault = fault

    async def run(self) -> web.StreamResponse:
        """Send it, as far as the fault lets it come."""
        data = self._data
        offset = self._offset(len(data))
        if offset is None:
            return web.Response(status=416)
        rest = data[offset:]
        if self._fault.kind == "flip":
            middle = len(rest) // 2
            rest = rest[:middle] + bytes([rest[middle] ^ 1]) + rest[middle + 1 :]
        if self._fault.kind == "more":
            rest += bytes(PIECE)
        response = web.StreamResponse(status=206 if offset else 200, headers=self._headers)
        if offset:
            response.headers["Content-Range"] = f"bytes {offset}-{len(data) - 1}/{len(data)}"
        stops = self._fault.kind in {"cut", "hang", "end"}
        if self._fault.kind not in {"end", "more"}:
            response.content_length = len(rest)
        await response.prepare(self._request)
        await self._send(response, rest[: self._fault.after] if stops else rest)
        return await self._stop(response)

    def _offset(self, size: int) -> int | None:
        asked = self._request.headers.get("Range", "")
        if not asked or self._fault.kind == "whole":
            return 0
        offset = int(asked.removeprefix("bytes=").removesuffix("-"))
        self._hub.rests.append(offset)
        return offset if offset < size else None

    async def _send(self, response: web.StreamResponse, data: bytes) -> None:
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE]
            self._hub.sent[self._request.match_info["name"]] += len(piece)
            await response.write(piece)

    async def _stop(self, response: web.StreamResponse) -> web.StreamResponse:
        if self._fault.kind == "hang":
            await self._hub.released.wait()
        if self._fault.kind in {"cut", "hang"}:
            if self._request.transport:
                self._request.transport.abort()
        else:
            await response.write_eof()
        return response
