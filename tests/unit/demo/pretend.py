"""A hub on a pretend wire: clients send values and get values, nothing has a socket."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from livebot.demo.hub import Hub
from livebot.demo.sessions import Link
from livebot.signaling.auth import hello_token

SECRET = "the secret of the tests"
NONCE = "a nonce of at least thirty-two bytes"
IN_CALL, WITH_AUDIO = 1, 2


def media(kind: str, to: str, **more: Any) -> dict[str, Any]:
    """Return a message for the media server."""
    data = {"type": kind, "roomType": "video", "to": to} | more
    return {"recipient": {"type": "session", "sessionid": to}, "data": data}


@dataclass(slots=True)
class PretendClient:
    """One client; `got` is what the hub sent, None where it closed the connection."""

    world: "World"
    link: Link
    session: str = ""
    resume_id: str = ""
    got: list[dict[str, Any] | None] = field(default_factory=list)

    def send(self, kind: str, body: Any, ident: str = "") -> None:
        """Send a request."""
        self.send_text(json.dumps({"id": ident, "type": kind, kind: body}))

    def send_text(self, text: str) -> None:
        """Send anything."""
        self.world.hub.receive(self.link, text, self.world.now)
        self.world.deliver()

    def hello(self, name: str = "", **more: Any) -> None:
        """Say hello as a participant, or with other fields."""
        auth = {"params": {"userid": name.lower(), "displayname": name}}
        self.send("hello", {"version": "1.0", "auth": auth} | more, "hello")
        for message in self.of("hello"):
            self.session = message["hello"]["sessionid"]
            self.resume_id = message["hello"]["resumeid"]

    def hello_as_bot(self, *, secret: str = SECRET, features: tuple[str, ...] = ()) -> None:
        """Say hello as an internal client."""
        params = {"random": NONCE, "token": hello_token(secret, NONCE), "backend": "http://x"}
        self.hello(auth={"type": "internal", "params": params}, features=features)

    def want_captions(self, *, enable: bool = True) -> None:
        """Switch captions on or off."""
        self.send("captions", {"enable": enable})

    def enter(self, flags: int, room: str = "room") -> None:
        """Join a room and its call."""
        self.send("room", {"roomid": room}, "room")
        self.send("internal", {"type": "incall", "incall": {"incall": flags}})

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return what was sent of one type."""
        return [message for message in self.got if message and message["type"] == kind]

    def errors(self) -> list[tuple[str, str]]:
        """Return request and code of the errors."""
        return [(message.get("id", ""), message["error"]["code"]) for message in self.of("error")]

    def data(self, kind: str) -> list[dict[str, Any]]:
        """Return the `data` of messages of one kind."""
        found = [message["message"]["data"] for message in self.of("message")]
        return [data for data in found if data["type"] == kind]

    def in_call(self) -> dict[str, int]:
        """Return who is in the call by the newest update."""
        updates = [
            message["event"]["update"]["users"]
            for message in self.of("event")
            if message["event"]["target"] == "participants"
        ]
        return {user["sessionId"]: user["inCall"] for user in updates[-1]} if updates else {}


class World:
    """A hub, its clients and the time."""

    def __init__(self) -> None:
        ids = itertools.count(1)
        self.now = 1000.0
        self.hub = Hub(secret=SECRET, new_id=lambda: f"id{next(ids)}")
        self.clients: dict[Link, PretendClient] = {}

    def connect(self) -> PretendClient:
        """Open a connection."""
        client = PretendClient(self, Link(len(self.clients) + 1))
        self.clients[client.link] = client
        self.hub.connected(client.link, self.now)
        self.deliver()
        return client

    def participant(self, name: str, flags: int = IN_CALL, room: str = "room") -> PretendClient:
        """Let a participant join a call."""
        client = self.connect()
        client.hello(name)
        client.enter(flags, room)
        return client

    def bot(self) -> PretendClient:
        """Let a bot join the call."""
        client = self.connect()
        client.hello_as_bot(features=("internal-incall",))
        client.enter(IN_CALL)
        return client

    def disconnect(self, client: PretendClient) -> None:
        """Cut a connection."""
        self.hub.disconnected(client.link, self.now)
        self.deliver()

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.hub.tick(self.now)
        self.deliver()

    def deliver(self) -> None:
        """Hand over what the hub has to say."""
        for link, text in self.hub.texts_to_send():
            self.clients[link].got.append(None if text is None else json.loads(text))
