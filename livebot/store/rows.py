"""Rows and the values they stand for (pure)."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

import msgspec

from livebot.feeds.events import Event, EventWord, Numbered
from livebot.store.folding import clean, folded
from livebot.store.records import (
    Job,
    JobOptions,
    JobState,
    Kind,
    LiveRecord,
    Share,
    StoredGap,
    StoredUtterance,
    TranscriptHead,
)

Row = Mapping[str, Any]
T = TypeVar("T", TranscriptHead, StoredGap, Job, Share, LiveRecord)


def plain(row: Any) -> Row:
    """Return what a database gave, by the names of its columns."""
    return {str(name): value for name, value in row.items()}


_WORDS = msgspec.json.Decoder(tuple[EventWord, ...])
_EVENT = msgspec.json.Decoder(Event)


def of_head(head: TranscriptHead) -> dict[str, Any]:
    """Return the row of a transcript."""
    return {**asdict(head), "kind": head.kind.value, "folded": folded(head.title)}


def head(row: Row) -> TranscriptHead:
    """Return the transcript of a row."""
    return _made(TranscriptHead, row, kind=Kind(row["kind"]))


def of_utterance(transcript: str, utterance: StoredUtterance) -> dict[str, Any]:
    """Return the row of an utterance."""
    return {
        "transcript": transcript,
        "start": utterance.start,
        "end": utterance.end,
        "speaker": utterance.speaker,
        "person": utterance.person,
        "language": utterance.language,
        "text": utterance.text,
        "words": _json(utterance.words),
        "folded": folded(utterance.text),
    }


def utterance(row: Row) -> StoredUtterance:
    """Return the utterance of a row."""
    return StoredUtterance(
        text=row["text"],
        words=_WORDS.decode(row["words"]),
        start=row["start"],
        end=row["end"],
        speaker=row["speaker"],
        person=row["person"],
        language=row["language"],
    )


def of_gap(transcript: str, gap: StoredGap) -> dict[str, Any]:
    """Return the row of a gap."""
    return {"transcript": transcript, **asdict(gap)}


def gap(row: Row) -> StoredGap:
    """Return the gap of a row."""
    return _made(StoredGap, row)


def of_job(job: Job) -> dict[str, Any]:
    """Return the row of a job."""
    return {
        **asdict(job),
        "options": _json(job.options),
        "state": job.state.value,
        "worker": "",
        "lease_until": None,
    }


def job(row: Row) -> Job:
    """Return the job of a row."""
    return _made(
        Job,
        row,
        options=msgspec.json.decode(row["options"], type=JobOptions),
        state=JobState(row["state"]),
    )


def of_share(share: Share, digest: str) -> dict[str, Any]:
    """Return the row of a share."""
    return {**asdict(share), "digest": digest}


def share(row: Row) -> Share:
    """Return the share of a row."""
    return _made(Share, row)


def live(row: Row) -> LiveRecord:
    """Return the live session of a row."""
    return _made(LiveRecord, row)


def of_event(session: str, numbered: Numbered) -> dict[str, Any]:
    """Return the row of an event."""
    return {
        "session": session,
        "seq": numbered.seq,
        "at": numbered.at,
        "event": _json(numbered.event),
    }


def event(row: Row) -> Numbered:
    """Return the event of a row."""
    return Numbered(row["seq"], row["at"], _EVENT.decode(row["event"]))


def _made(kind: type[T], row: Row, /, **read: Any) -> T:
    """Return a value whose fields are columns of the same names, but for those that were read."""
    return kind(**{each.name: row[each.name] for each in fields(kind)} | read)


def _json(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_cleaned(msgspec.to_builtins(value))).decode()


def _cleaned(value: Any) -> Any:
    """Return what is in some JSON without halves of characters."""
    match value:
        case str():
            return clean(value)
        case list() | tuple():
            return [_cleaned(one) for one in value]
        case dict():
            return {name: _cleaned(one) for name, one in value.items()}
        case _:
            return value
