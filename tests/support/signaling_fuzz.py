"""What no signaling server should say: messages that are nearly right, and bytes."""

import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeAlias

from tests.support import recordings, wire

Frame: TypeAlias = str | bytes
"""As it is to be put on the socket: text, or a binary frame."""

_KEYS = (
    *("type", "event", "target", "users", "all", "incall", "roomid", "sessionid", "sender"),
    *("sessionId", "inCall", "internal", "nextcloudSessionId", "data", "sid", "payload", "sdp"),
    *("hello", "error", "welcome", "message", "user", "displayname", "candidate", "update"),
)
_TARGETS = ("room", "participants", "roomlist", "", "message")
_KINDS = ("join", "leave", "update", "switchto", "message", "flags", "change", "invite", "")
_MEDIA = ("offer", "candidate", "answer", "requestoffer", "endOfCandidates", "transcript", "")
_TEXTS = ("", "0", "en", "é", "\0", "\u202e", "x" * 900, "😀" * 50, "candidate:1 1 udp 1 ::1 9")
_ODD: tuple[object, ...] = (None, True, False, 0, -1, 3, 7, 1 << 40, 10**30, 1.5, 1e308)
_LONG = 200_000


class Fuzzer:
    """Makes messages, the same ones for the same seed; none of them ends the room as asked.

    Args:
        seed: Of the dice.
        people: The sessions that they are about, mostly.
        pages: What Talk calls them, perhaps.
    """

    def __init__(self, seed: int, *, people: Sequence[str], pages: Sequence[str]) -> None:
        self._dice = random.Random(seed)
        self._people = people
        self._pages = pages
        self._makers: tuple[tuple[int, Callable[[], Frame]], ...] = (
            (40, lambda: json.dumps(self._event())),
            (20, lambda: json.dumps(self._media())),
            (20, self._recorded),
            (8, lambda: json.dumps(self._value(4))),
            (6, self._damaged),
            (4, lambda: self._dice.randbytes(self._dice.randrange(200))),
            (1, self._deep),
            (1, self._huge),
        )

    def frame(self) -> Frame:
        """Return a message."""
        weights = [weight for weight, _ in self._makers]
        makers = [maker for _, maker in self._makers]
        while True:
            (maker,) = self._dice.choices(makers, weights)
            frame = maker()
            if isinstance(frame, bytes) or not ends_room(frame):
                return frame

    def _id(self) -> object:
        dice = self._dice
        if self._rarely():
            return self._value(1)
        return dice.choice((*self._people, f"nobody-{dice.randrange(10**9)}"))

    def _page(self) -> object:
        return self._value(1) if self._rarely() else self._dice.choice(self._pages)

    def _rarely(self) -> bool:
        return self._dice.random() < 0.02

    def _any(self, *right: object) -> object:
        return self._value(2) if self._rarely() else self._dice.choice(right)

    def _some(self, make: Callable[[], object]) -> object:
        return (
            self._value(2) if self._rarely() else [make() for _ in range(self._dice.randrange(6))]
        )

    def _event(self) -> dict[str, object]:
        kind = self._any(*_KINDS, *["join", "leave", *["update"] * 3] * 3)
        target = {"join": "room", "leave": "room", "update": "participants", "switchto": "room"}
        body: dict[str, object] = {
            "target": self._any(*[target.get(str(kind), "room")] * 9, *_TARGETS),
            "type": kind,
            "join": self._some(self._joined),
            "leave": self._some(self._id),
            "update": self._any({"users": self._some(self._user), "all": self._any(_ODD[2])}),
            "switchto": self._any({"roomid": self._any("room2", "room3", "", "../x", "y" * 900)}),
            "disinvite": self._any({"roomid": "elsewhere"}),
        }
        for key in self._dice.sample(sorted(body), 3 if self._rarely() else 0):
            del body[key]
        return {"type": self._any("event"), "event": body}

    def _joined(self) -> dict[str, object]:
        return {
            "sessionid": self._id(),
            "roomsessionid": self._page(),
            "userid": self._any("somebody", None),
            "user": self._any({"displayname": self._any("Somebody", *_TEXTS)}, None),
        }

    def _user(self) -> dict[str, object]:
        return {
            "sessionId": self._id(),
            "nextcloudSessionId": self._page(),
            "inCall": self._any(0, 1, 3, 7, -1, 10**30, *_ODD[:3]),
            "internal": self._any(*_ODD[1:3]),
            "userId": self._any("somebody", None),
        }

    def _media(self) -> dict[str, object]:
        sdp = self._any(self._dice.choice(_sdps()), _cut(self._dice, self._dice.choice(_sdps())))
        found = {"candidate": self._any(*_TEXTS), "sdpMid": self._any("0", *_ODD)}
        data = {
            "type": self._any(*_MEDIA, "offer", "candidate"),
            "roomType": self._any("video", "screen", ""),
            "sid": self._any("7", 7, "8", ""),
            "payload": self._any({"sdp": sdp}, {"candidate": self._any(found)}),
        }
        body = {"sender": self._any({"sessionid": self._id()}), "data": self._any(data)}
        return {"type": "message", "message": body}

    def _recorded(self) -> str:
        """Return a recorded message with something wrong in it, about one of our people."""
        message = json.loads(self._dice.choice(_received()))
        for _ in range(self._dice.randrange(1, 4)):
            self._change(message)
        return json.dumps(message)

    def _change(self, value: object) -> None:
        """Change one value, however deep."""
        places = list(_places(value))
        if places:
            where, key = self._dice.choice(places)
            is_id = isinstance(key, str) and "session" in key.lower()
            where[key] = self._id() if is_id else self._value(2)

    def _damaged(self) -> str:
        text = self._recorded()
        at = self._dice.randrange(len(text))
        return text[:at] + self._dice.choice(('"', "}", "", "\\ud800", "\0")) + text[at + 1 :]

    def _deep(self) -> str:
        depth = self._dice.choice((200, 5_000))
        inside = '{"update":' * depth + "0" + "}" * depth
        return f'{{"type":"event","event":{{"target":"room","type":"x","update":{inside}}}}}'

    def _huge(self) -> str:
        long = f"{self._dice.randrange(10**9)}" + "x" * _LONG
        user = {"sessionId": long, "inCall": 3, "nextcloudSessionId": long}
        entry = {"sessionid": long, "user": {"displayname": long}, "roomsessionid": long}
        return self._dice.choice(
            (
                wire.event("participants", "update", users=[user]),
                wire.event("room", "join", join=[entry]),
                wire.event("room", "switchto", switchto={"roomid": long}),
                wire.error(long, long),
                wire.offer(self._people[0], long, long),
            )
        )

    def _value(self, depth: int) -> object:
        dice = self._dice
        match dice.randrange(6 if depth else 4):
            case 0 | 1:
                return dice.choice(_ODD)
            case 2 | 3:
                return dice.choice((*_TEXTS, *self._people))
            case 4:
                return [self._value(depth - 1) for _ in range(dice.randrange(4))]
            case _:
                return {dice.choice(_KEYS): self._value(depth - 1) for _ in range(3)}


def ends_room(text: str) -> bool:
    """Say whether the room is to be left at this message for good: that is no fault of it."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return False
    match message:
        case {"event": {"type": "delete" | "disinvite"}} | {"type": "room" | "bye"}:
            return True
        case {"event": {"update": {"all": True, **update}}} if not update.get("incall"):
            return True
        case {"type": "error", "error": {"code": "not_allowed" | "no_such_room"}}:
            return True
        case _:
            return False


@cache
def _received() -> list[str]:
    """Return what recorded servers said."""
    lines = (line for name in recordings.RECORDINGS for line in recordings.load(name))
    return [json.dumps(line.message) for line in lines if line.direction == "<"]


@cache
def _sdps() -> list[str]:
    """Return recorded offers."""
    found = [json.loads(text) for text in _received() if '"sdp"' in text and '"offer"' in text]
    return [message["message"]["data"]["payload"]["sdp"] for message in found]


def _places(value: object) -> Any:
    """Yield each container in a message with each of its keys or places."""
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inside in pairs:
        yield value, key
        yield from _places(inside)


def _cut(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + text[at + dice.randrange(60) :]
