"""Requests that nobody should send: nearly right ones, and bytes."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SECRET = "hunter2"
"""Stands where credentials stand, so that it can be looked for where it must not be."""

_TARGETS = (
    ("POST", "/api/v1/call/transcribe"),
    ("POST", "/api/v1/call/transcribe"),
    ("POST", "/api/v1/call/transcribe"),
    ("GET", "/api/v1/call/transcribe"),
    ("DELETE", "/api/v1/call/transcribe/abcd1234"),
    ("POST", "/api/v1/call/set-language"),
    ("POST", "/api/v1/call/leave"),
    ("POST", "/api/v1/translation/set-target-language"),
    ("GET", "/api/v1/translation/languages"),
    ("GET", "/api/v1/languages"),
    ("GET", "/capabilities"),
    ("GET", "/enabled"),
    ("PUT", "/enabled"),
    ("POST", "/init"),
    ("GET", "/heartbeat"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
)
_TAILS = ("/", "//", "/..", "%2e%2e", "%00", "/%ff", "é", "?????", "a" * 8300)
_QUERIES = ("roomToken=abcd1234", "enabled=1", "backend=default", "backend=", "x=%00", "&&=&", "%")
_METHODS = ("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "X")
_TYPES = ("application/json",) * 6 + ("text/plain", "application/json; charset=utf-16", "/", "")
_HEADERS = (
    "Content-Encoding: gzip",
    "Expect: 100-continue",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Connection: close",
    "Origin: https://evil.example",
    "X-Forwarded-For: 1.2.3.4",
    f"AUTHORIZATION-APP-API: {SECRET}",
    "EX-APP-ID: live_transcription",
    "Range: bytes=0-",
    "Cookie: " + "a=b; " * 300,
    "X: " + "x" * 9000,
    "If-None-Match: *",
    "Sec-WebSocket-Key: x",
)
_TEXTS = ("", "en", "de", "abcd1234", "ABCD", "\0", "é", "\ud800", "x" * 600, "../..", SECRET)
_KEYS = (
    "roomToken",
    "ncSessionId",
    "enable",
    "languageId",
    "langId",
    "translationTargetLangId",
    "mode",
    "turnServers",
    "urls",
    "credential",
)
_RIGHT: dict[str, Sequence[object]] = {
    "roomToken": ("abcd1234", "zzzz"),
    "ncSessionId": ("a/b+c=", "someone"),
    "enable": (True, False),
    "languageId": ("en", "ja", None, ""),
    "langId": ("en", "pt_BR", "tlh", None, ""),
    "translationTargetLangId": ("de", "tlh", None),
    "mode": ("append", "replace", None),
    "turnServers": (
        None,
        [],
        [{"urls": "turn:t:3478", "username": "u", "credential": SECRET}],
        [{"urls": ["turn:evil.example"], "credential": SECRET}],
    ),
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as bytes.

    Attributes:
        data: All of it.
        has_body: Whether its answer has a body.
        is_sound: Whether the connection can be used for another one.
    """

    data: bytes = field(repr=False)
    has_body: bool
    is_sound: bool


class Fuzzer:
    """Makes requests, the same ones for the same seed.

    Args:
        seed: Of the dice.
        authorization: The header that opens the door; most requests have it.
    """

    def __init__(self, seed: int, authorization: str) -> None:
        self._dice = random.Random(seed)
        self._authorization = authorization

    def request(self) -> Request:
        """Return a request that is well-formed HTTP, mostly, with odd contents."""
        dice = self._dice
        method, path = dice.choice(_TARGETS)
        if self._rarely():
            method = dice.choice(_METHODS)
        body = self._body() if method in {"POST", "PUT", "DELETE"} or self._rarely() else b""
        length, is_sound = len(body), True
        if self._rarely():
            length, is_sound = max(0, length + dice.choice((-1, 1, 1000))), False
        lines = [f"{method} {self._target(path)} HTTP/1.1", "Host: localhost"]
        if not self._rarely():
            lines.append(f"Authorization: {self._authorization}")
        more = dice.sample(_HEADERS, dice.choice((0, 0, 0, 1, 2)))
        # A body that is not what it says, or not as long, leaves nothing that makes sense.
        is_sound = is_sound and not {"Content-Encoding: gzip", "Connection: close"} & {*more}
        lines += more
        lines.append(f"Content-Type: {dice.choice(_TYPES)}")
        lines.append(f"Content-Length: {length}")
        dice.shuffle(lines[1:])
        head = "\r\n".join([*lines, "", ""]).encode()
        return Request(head + body, has_body=method != "HEAD", is_sound=is_sound)

    def garbage(self) -> bytes:
        """Return bytes: a request with some of them wrong, or none that ever were one."""
        dice = self._dice
        if dice.random() < 0.1:
            return dice.randbytes(dice.randrange(1, 3000))
        data = bytearray(self.request().data)
        for _ in range(dice.choice((1, 1, 1, 2, 5))):
            dice.choice(_DAMAGES)(dice, data)
        return bytes(data)

    def _rarely(self) -> bool:
        return self._dice.random() < 0.06

    def _target(self, path: str) -> str:
        dice = self._dice
        if self._rarely():
            path += dice.choice(
                ("/", "//", "/..", "%2e%2e", "%00", "/%ff", "é", "?" * 5, "a" * 8300)
            )
        if dice.random() < 0.3:
            path += "?" + "&".join(dice.choices(_QUERIES, k=dice.randrange(1, 4)))
        return path

    def _body(self) -> bytes:
        dice = self._dice
        kind = dice.random()
        if kind < 0.04:
            return dice.randbytes(dice.randrange(300))
        if kind < 0.05:
            return b'{"x":' + b"[" * 30_000
        if kind < 0.06:
            return b'{"x":"' + b"x" * 70_000
        if kind < 0.12:
            return json.dumps(self._value(4)).encode()
        return json.dumps(self._fields()).encode()

    def _fields(self) -> dict[str, object]:
        """Return an object with most keys right."""
        dice = self._dice
        keys = ["roomToken", *dice.sample(list(_RIGHT), dice.randrange(len(_RIGHT)))]
        return {
            key: self._value(2) if self._rarely() else dice.choice(_RIGHT[key]) for key in keys
        }

    def _value(self, depth: int) -> object:
        dice = self._dice
        kind = dice.randrange(7 if depth else 5)
        match kind:
            case 0:
                return dice.choice((None, True, False))
            case 1:
                return dice.choice((0, -1, 10**30, 1.5, float("nan"), float("inf")))
            case 2 | 3 | 4:
                return dice.choice(_TEXTS)
            case 5:
                return [self._value(depth - 1) for _ in range(dice.randrange(4))]
            case _:
                return {dice.choice(_KEYS): self._value(depth - 1) for _ in range(3)}


def _flip(dice: random.Random, data: bytearray) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _cut(dice: random.Random, data: bytearray) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _drop(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    del data[at : at + dice.randrange(40)]


def _insert(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = dice.choice(
        (b"\r\n", b"\n", b"\0", b": ", b"Transfer-Encoding: chunked\r\n", b"\xff" * 9, b"\r\n\r\n")
    )


def _repeat(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = data[at : at + dice.randrange(200)]


_DAMAGES: tuple[Callable[[random.Random, bytearray], None], ...] = (
    _flip,
    _cut,
    _drop,
    _insert,
    _repeat,
)
