"""What a signaling server says, as text; for driving the core by hand."""

import json
from typing import Any

from livebot.ids import RoomToken, SessionId
from livebot.signaling.protocol import Protocol

NONCE = "n" * 48
ROOM = RoomToken("room1")
OWN = SessionId("own-session")


def new_protocol() -> Protocol:
    """Return a conversation that has not begun."""
    return Protocol(room=ROOM, secret="secret", backend="https://cloud.example/")


def sent(protocol: Protocol) -> list[dict[str, Any]]:
    """Take what the core wants to send, decoded."""
    return [json.loads(text) for text in protocol.text_to_send()]


def hello(ident: str = "1", session: str = OWN, features: tuple[str, ...] = ("mcu",)) -> str:
    """Write the server's answer to hello."""
    server = {"version": "2.1.1", "features": list(features)}
    body = {"version": "1.0", "sessionid": session, "resumeid": "resume-me", "server": server}
    return json.dumps({"id": ident, "type": "hello", "hello": body})


def room(ident: str = "3", token: str = ROOM) -> str:
    """Write the server's answer to joining."""
    return json.dumps({"id": ident, "type": "room", "room": {"roomid": token}})


def error(ident: str, code: str) -> str:
    """Write an error."""
    return json.dumps({"id": ident, "type": "error", "error": {"code": code, "message": "no"}})


def call(*users: tuple[str, int, bool]) -> str:
    """Write a participants update of (session, flags, internal)."""
    entries = [{"sessionId": s, "inCall": flags, "internal": bot} for s, flags, bot in users]
    event = {"target": "participants", "type": "update", "update": {"users": entries}}
    return json.dumps({"type": "event", "event": event})


def event(target: str, kind: str, **body: object) -> str:
    """Write an event whose body stands under the name of its type."""
    return json.dumps({"type": "event", "event": {"target": target, "type": kind, kind: body}})


def offer(speaker: str, sid: str = "7", sdp: str = "v=0") -> str:
    """Write the media server's offer in a speaker's name."""
    data = {"type": "offer", "roomType": "video", "payload": {"type": "offer", "sdp": sdp}}
    sender = {"type": "session", "sessionid": speaker}
    body = {"sender": sender, "data": data | ({"sid": sid} if sid else {})}
    return json.dumps({"type": "message", "message": body})


def candidate(speaker: str, sid: str, text: str) -> str:
    """Write a candidate of the media server in a speaker's name."""
    payload = {"candidate": {"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0}}
    data = {"type": "candidate", "roomType": "video", "sid": sid, "payload": payload}
    body = {"sender": {"type": "session", "sessionid": speaker}, "data": data}
    return json.dumps({"type": "message", "message": body})


def in_room(now: float = 0.0) -> Protocol:
    """Return a conversation that has reached the room; nothing waits to be sent."""
    protocol = new_protocol()
    protocol.connected(nonce=NONCE, now=now)
    protocol.receive(hello(), now)
    protocol.receive(room(), now)
    protocol.text_to_send()
    return protocol
