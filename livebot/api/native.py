"""Events as readers of the API get them, over WebSockets and as server-sent events (pure)."""

from typing import Any

import msgspec

from livebot.feeds.events import Numbered, Snapshot


def form(told: Numbered | Snapshot) -> dict[str, Any]:
    """Return an event with its place in front, or a snapshot, as what JSON has."""
    if isinstance(told, Snapshot):
        return _plain(told)
    return {"seq": told.seq, "at": round(told.at, 3), **_plain(told.event)}


def closed(seq: int) -> dict[str, Any]:
    """Return what says that nothing comes after a number."""
    return {"type": "closed", "seq": seq}


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(struct)
    return found
