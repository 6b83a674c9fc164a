"""Bodies of requests and answers: JSON in, values out, and back."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from livebot.captions.gap import Gap
from livebot.captions.text import has_spaces
from livebot.errors import RequestError
from livebot.ids import RoomToken, is_room_token
from livebot.rooms.status import Health, RoomStatus, SpeakerStatus
from livebot.settings import IceServer, parse_ice_servers

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,4}")

_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """Somebody wants captions in a room.

    Attributes:
        token: The room.
        language: A language code in lower case; not checked against the engine here.
        ice_servers: STUN and TURN servers for this room; empty where the settings decide.
    """

    token: RoomToken
    language: str
    ice_servers: tuple[IceServer, ...] = ()

    @classmethod
    def from_json(cls, body: bytes, *, default_language: str) -> "TranscribeRequest":
        """Read the body of a request; keys that are not ours are ignored.

        Raises:
            RequestError: It is not such a request; the text says why.
        """
        fields = _object(body)
        if fields.get("enable", True) is not True:
            raise RequestError("enable must be true; to stop, send DELETE")
        language = fields.get("languageId", fields.get("langId"))
        if language in (None, ""):
            language = default_language
        return cls(
            token=room_token(fields.get("roomToken")),
            language=_language(language),
            ice_servers=_ice_servers(fields.get("turnServers")),
        )


def room_token(value: object) -> RoomToken:
    """Return a well-formed room token.

    Raises:
        RequestError: It is not one.
    """
    if isinstance(value, str) and is_room_token(value):
        return RoomToken(value)
    raise RequestError("roomToken must be 4 to 64 letters and digits")


def _object(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise RequestError("the body is not JSON") from exc
    if not isinstance(found, dict):
        raise RequestError("the body must be a JSON object with a roomToken")
    return found


def _language(value: object) -> str:
    if isinstance(value, str) and _LANGUAGE.fullmatch(value):
        return value.lower()
    raise RequestError("languageId must be a language code like en")


def _ice_servers(value: object) -> tuple[IceServer, ...]:
    try:
        return parse_ice_servers([] if value is None else value)
    except ValueError as exc:
        raise RequestError(f"turnServers: {exc}") from exc


def started(token: RoomToken, *, is_new: bool) -> dict[str, object]:
    """Return the answer to a `TranscribeRequest`."""
    return {
        "status": "started" if is_new else "already running",
        "roomToken": token,
        "message": "Transcription started" if is_new else "Transcription is already running",
    }


def rooms(found: Sequence[RoomStatus]) -> dict[str, object]:
    """Return the rooms and their speakers as JSON values."""
    return {"rooms": [_room(room) for room in found]}


def _room(room: RoomStatus) -> dict[str, object]:
    return {
        "roomToken": room.token,
        "languageId": room.language,
        "state": room.state.value,
        "since": _timestamp(room.since),
        "lastError": room.last_error,
        "speakers": [_speaker(speaker) for speaker in room.speakers],
        "gaps": [_gap(gap, room.since) for gap in room.gaps],
    }


def _gap(gap: Gap, since: float) -> dict[str, object]:
    return {
        "at": _timestamp(since + gap.start),
        "cause": gap.cause.value,
        "seconds": None if gap.end is None else round(gap.end - gap.start, 1),
        "lostSeconds": round(gap.lost_s, 1),
    }


def _speaker(speaker: SpeakerStatus) -> dict[str, object]:
    return {
        "sessionId": speaker.session,
        "name": speaker.name,
        "media": speaker.media,
        "stream": speaker.stream,
        "audioSeconds": round(speaker.audio_seconds, 3),
        "droppedSeconds": round(speaker.dropped_seconds, 3),
        "captions": speaker.captions,
        "lastError": speaker.last_error,
    }


def languages(found: Mapping[str, str]) -> dict[str, object]:
    """Return the languages the way Talk wants them."""
    return {
        code: {
            "name": name,
            "metadata": {
                "separator": " " if has_spaces(code) else "",
                "rtl": _base(code) in _RIGHT_TO_LEFT,
            },
        }
        for code, name in found.items()
    }


def _base(code: str) -> str:
    return re.split("[-_]", code, maxsplit=1)[0]


def health(found: Health, *, memory_mb: float, now: float) -> dict[str, object]:
    """Return the service's health as JSON values; `now` in seconds of the epoch."""
    return {
        "status": found.status.value,
        "reasons": list(found.reasons),
        "rooms": found.rooms,
        "speakers": found.speakers,
        "memory_mb": round(memory_mb, 1),
        "timestamp": _timestamp(now),
    }


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
