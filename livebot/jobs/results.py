"""What was recognised of a job becomes what is kept (pure)."""

from livebot.feeds.events import EventWord
from livebot.store.records import Job, Kind, StoredTranscript, StoredUtterance, TranscriptHead
from livebot.transcripts.model import Transcript, Utterance


def stored_of(job: Job, transcript: Transcript, now: float) -> StoredTranscript:
    """Return what is kept of a job that is completed.

    Args:
        job: It.
        transcript: What was said in its file.
        now: Seconds since 1970.
    """
    head = TranscriptHead(
        id=job.id,
        kind=Kind.JOB,
        owner=job.owner,
        title=job.name,
        language=transcript.language,
        model=transcript.model,
        started_at=job.created_at,
        ended_at=now,
        duration=transcript.duration,
        audio=job.options.keep_audio,
        language_probability=transcript.language_probability,
    )
    return StoredTranscript(head, tuple(_utterance(each) for each in transcript.utterances))


def _utterance(said: Utterance) -> StoredUtterance:
    return StoredUtterance(
        text=said.text,
        words=tuple(EventWord(w.text, w.start, w.end, w.joined) for w in said.words),
        start=said.start,
        end=said.end,
        speaker=said.speaker,
        person=said.speaker,
        language=said.language,
    )
