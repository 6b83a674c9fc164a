"""A conversation in the form of OpenAI's realtime transcription (pure)."""

import base64
import binascii
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from livebot.errors import LivebotError
from livebot.feeds.events import Numbered, Snapshot
from livebot.live.openai_items import Items
from livebot.live.openai_messages import Message, Writer
from livebot.live.openai_session import Session, SessionError
from livebot.live.options import LiveOptions

LEAST_S = 0.1
"""What may be committed, as OpenAI has it: less is a mistake of the client's."""

_TRANSCRIPTION_ONLY = "this event has no effect here: audio is transcribed, and nothing else"


@dataclass(frozen=True, slots=True)
class Append:
    """The client sent audio."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Finalize:
    """The client is done with what was said so far: `Dialogue.finalized()` is due."""


Action: TypeAlias = Append | Finalize


class _Client(Struct, frozen=True):
    """What clients send."""

    type: str
    event_id: str | None = None
    audio: str | UnsetType = UNSET
    session: msgspec.Raw | UnsetType = UNSET


_clients = msgspec.json.Decoder(_Client)


class Dialogue:
    """What one client says and is told.

    Args:
        name: Of the conversation, not to be guessed; all ids are made of it.
        is_newer: Whether the client speaks the newer form.
    """

    def __init__(self, name: str, *, is_newer: bool) -> None:
        self._writer = Writer(name, is_newer=is_newer)
        self._items = Items(self._writer)
        self._session = Session()
        self._has_begun = False
        self._uncommitted = 0

    @property
    def options(self) -> LiveOptions:
        """Return those of the live session."""
        return self._session.options

    def greet(self) -> list[Message]:
        """Return what is told first."""
        return [self._writer.session("created", self._session)]

    def receive(self, text: str) -> tuple[list[Message], Action | None]:
        """Take a message in; return what to tell at once, and what to do then."""
        try:
            came = _clients.decode(text)
        except (ValueError, RecursionError):
            told = self._writer.error("this is no event: JSON with a type", "invalid_json")
            return [told], None
        try:
            return self._event(came)
        except SessionError as exc:
            return [self._writer.error(str(exc), exc.code, exc.param, came.event_id)], None

    def failed(self, error: LivebotError) -> list[Message]:
        """Return what to tell where something cannot be done."""
        return [self._writer.error(str(error))]

    def heard(self, came: Numbered | Snapshot) -> list[Message]:
        """Return what to tell of an event."""
        return self._items.heard(came)

    def finalized(self, seq: int) -> list[Message]:
        """Note that what was said so far is in events up to a number."""
        return self._items.finalized(seq)

    def _event(self, came: _Client) -> tuple[list[Message], Action | None]:
        match came.type:
            case "input_audio_buffer.append":
                return [], self._append(came)
            case "input_audio_buffer.commit":
                return self._commit(), Finalize()
            case "input_audio_buffer.clear":
                return self._clear()
            case "session.update" | "transcription_session.update":
                return self._update(came), None
            case _:
                raise SessionError(_TRANSCRIPTION_ONLY, "type")

    def _append(self, came: _Client) -> Append:
        try:
            data = base64.b64decode(came.audio or "", validate=True)
        except (binascii.Error, ValueError):
            raise SessionError("audio is not base64", "audio") from None
        self._has_begun = True
        self._uncommitted += len(data)
        return Append(data)

    def _update(self, came: _Client) -> list[Message]:
        if not isinstance(came.session, msgspec.Raw):
            raise SessionError("session is missing", "session", "missing_required_parameter")
        found = self._session.updated(bytes(came.session))
        if self._has_begun and found.options != self._session.options:
            message = "format and language stay as they were when audio began; connect anew"
            raise SessionError(message, "session")
        self._session = found
        self._items.has_turns = bool(found.turns)
        return [self._writer.session("updated", found)]

    def _commit(self) -> list[Message]:
        seconds = self._session.seconds(self._uncommitted)
        self._uncommitted = 0
        if seconds < LEAST_S:
            message = f"there are less than {LEAST_S * 1000:.0f} ms of audio to commit"
            raise SessionError(message, "", "input_audio_buffer_commit_empty")
        return self._items.commit(seconds)

    def _clear(self) -> tuple[list[Message], Action | None]:
        self._uncommitted = 0
        out = [self._writer.message("input_audio_buffer.cleared")]
        if not self._has_begun:
            return out, None
        return out + self._items.clear(), Finalize()
