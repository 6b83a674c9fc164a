"""What clients of OpenAI's realtime transcription are told, as messages (pure)."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from livebot.feeds.events import Gap
from livebot.live.openai_session import Session

Message: TypeAlias = dict[str, Any]

_TRANSCRIPTION = "conversation.item.input_audio_transcription"


@dataclass(slots=True)
class Item:
    """A stretch of what is said.

    Attributes:
        id: Its name.
        text: What it certainly is, as far as utterances are complete.
        base: What comes before the utterance that is being told; None between utterances.
        told: What the deltas are so far.
        start: When it began, in seconds.
        seconds: How long it is.
        is_added: Whether the client knows of it.
        is_committed: Whether the client knows that no more audio belongs to it.
        is_dropped: Whether the client wants nothing of it.
        until: The number of its last event; None while nobody knows.
    """

    id: str
    text: str = ""
    base: str | None = None
    told: str = ""
    start: float = 0.0
    seconds: float = 0.0
    is_added: bool = False
    is_committed: bool = False
    is_dropped: bool = False
    until: int | None = None


class Writer:
    """Makes messages, and notes in items what was told of them.

    Args:
        name: Of the conversation, not to be guessed; all ids are made of it.
        is_newer: Whether the client speaks the newer form.
    """

    def __init__(self, name: str, *, is_newer: bool) -> None:
        self._name = name
        self._is_newer = is_newer
        self._count = 0
        self._previous: str | None = None

    def new_item(self) -> Item:
        """Return an item of which nobody knows yet."""
        self._count += 1
        return Item(f"item_{self._name}{self._count:04}")

    def message(self, kind: str, **fields: Any) -> Message:
        """Return a message."""
        self._count += 1
        return {"type": kind, "event_id": f"event_{self._name}{self._count:04}", **fields}

    def session(self, what: str, session: Session) -> Message:
        """Return what is told of the session: that it is `created` or `updated`."""
        about = session.describe(f"sess_{self._name}", is_newer=self._is_newer)
        kind = "session" if self._is_newer else "transcription_session"
        return self.message(f"{kind}.{what}", session=about)

    def error(
        self, text: str, code: str | None = None, param: str = "", event: str | None = None
    ) -> Message:
        """Return what is told of an error; `event` is the client's id of what it sent."""
        error = {
            "type": "invalid_request_error",
            "code": code,
            "message": text,
            "param": param or None,
            "event_id": event,
        }
        return self.message("error", error=error)

    def started(self, item: Item) -> Message:
        """Tell that somebody speaks."""
        at = round(item.start * 1000)
        kind = "input_audio_buffer.speech_started"
        return self.message(kind, audio_start_ms=at, item_id=item.id)

    def stopped(self, item: Item) -> Message:
        """Tell that nobody speaks any more."""
        at = round((item.start + item.seconds) * 1000)
        kind = "input_audio_buffer.speech_stopped"
        return self.message(kind, audio_end_ms=at, item_id=item.id)

    def committed(self, item: Item) -> list[Message]:
        """Tell that no more audio belongs to an item, once."""
        if item.is_committed:
            return []
        item.is_committed = True
        previous, self._previous = self._previous, item.id
        kind = "input_audio_buffer.committed"
        return [self.message(kind, item_id=item.id, previous_item_id=previous)]

    def added(self, item: Item) -> list[Message]:
        """Tell of an item, once."""
        if item.is_added:
            return []
        item.is_added = True
        kind = "conversation.item.added" if self._is_newer else "conversation.item.created"
        status = "in_progress" if self._is_newer else "completed"
        return [self.message(kind, previous_item_id=None, item=_about(item, status, None))]

    def delta(self, item: Item, text: str) -> list[Message]:
        """Tell what is new in a text."""
        if text == item.told or not text.startswith(item.told):
            return []
        delta, item.told = text[len(item.told) :], text
        kind = f"{_TRANSCRIPTION}.delta"
        said = self.message(kind, item_id=item.id, content_index=0, delta=delta)
        return [*self.added(item), said]

    def completed(self, item: Item) -> list[Message]:
        """Tell all that was not told of an item yet."""
        out = self.committed(item) + self.added(item) + self.delta(item, item.text)
        done = self.message(
            f"{_TRANSCRIPTION}.completed",
            item_id=item.id,
            content_index=0,
            transcript=item.text,
            usage={"type": "duration", "seconds": item.seconds},
        )
        out.append(done)
        if self._is_newer:
            about = _about(item, "completed", item.text)
            kind = "conversation.item.done"
            out.append(self.message(kind, previous_item_id=None, item=about))
        return out

    def lost(self, gap: Gap) -> list[Message]:
        """Tell of words that are missing, by an item that failed."""
        item = self.new_item()
        error = {
            "type": "transcription_error",
            "code": gap.cause,
            "message": f"{gap.lost_s:.1f} s were not understood",
            "param": None,
        }
        kind = f"{_TRANSCRIPTION}.failed"
        failed = self.message(kind, item_id=item.id, content_index=0, error=error)
        return [*self.committed(item), *self.added(item), failed]


def _about(item: Item, status: str, text: str | None) -> Message:
    return {
        "id": item.id,
        "object": "realtime.item",
        "type": "message",
        "status": status,
        "role": "user",
        "content": [{"type": "input_audio", "transcript": text}],
    }
