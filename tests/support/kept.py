"""Values to keep: what a test does not care about is filled in."""

import uuid
from typing import Any

from livebot.feeds.events import EventWord
from livebot.store.records import (
    Job,
    Kind,
    LiveRecord,
    StoredGap,
    StoredTranscript,
    StoredUtterance,
    TranscriptHead,
)


def new_id() -> str:
    """Return an id as the service makes them."""
    return uuid.uuid4().hex


def job(**given: Any) -> Job:
    """Return a job."""
    fixed: dict[str, Any] = {
        "id": new_id(),
        "owner": "ops",
        "name": "a.wav",
        "path": "",
        "size": 1,
    }
    return Job(**fixed | given)


def head(**given: Any) -> TranscriptHead:
    """Return what is known of a transcript."""
    fixed: dict[str, Any] = {"id": new_id(), "kind": Kind.LIVE, "owner": "ops"}
    return TranscriptHead(**fixed | given)


def utterance(text: str, start: float = 0.0, **given: Any) -> StoredUtterance:
    """Return an utterance of a second."""
    words = tuple(EventWord(word, start, start + 1) for word in text.split())
    fixed: dict[str, Any] = {"text": text, "words": words, "start": start, "end": start + 1}
    return StoredUtterance(**fixed | given)


def gap(start: float = 0.0, **given: Any) -> StoredGap:
    """Return a gap."""
    fixed: dict[str, Any] = {"cause": "engine", "start": start, "end": None, "lost_s": 1.0}
    return StoredGap(**fixed | given)


def transcript(*texts: str, **given: Any) -> StoredTranscript:
    """Return a transcript of some utterances, a second each."""
    return of(head(**given), *texts)


def of(head: TranscriptHead, *texts: str) -> StoredTranscript:
    """Return a transcript with some utterances, a second each."""
    said = tuple(utterance(text, float(start)) for start, text in enumerate(texts))
    return StoredTranscript(head, said)


def live(**given: Any) -> LiveRecord:
    """Return a live session."""
    fixed: dict[str, Any] = {"id": new_id(), "owner": "ops", "epoch": 1.0, "options": "{}"}
    return LiveRecord(**fixed | given)
