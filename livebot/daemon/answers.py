"""What a client is told; the only file that knows the keys of answers (pure)."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from livebot import __version__
from livebot.daemon.requests import Name, Recognise
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.transcripts.model import Transcript, Utterance

Answer: TypeAlias = dict[str, Any]

DIGITS = 3
"""Of seconds after the point."""

_encoder = msgspec.json.Encoder()


def encode(answer: Mapping[str, Any]) -> bytes:
    """Return the line of an answer."""
    return _encoder.encode(answer) + b"\n"


def ready(model: str) -> Answer:
    """Say that requests are answered; the first line of all."""
    message = f"livebot {__version__} is ready"
    return {"status": "ready", "message": message, "model": model, "version": __version__}


def not_ready(cause: str) -> Answer:
    """Say that none will be; the first line of all, and the last."""
    return {"status": "error", "error": cause, "message": cause}


def about(request: Recognise) -> Answer:
    """Return the keys by which a client knows its request again."""
    keys = {"audio_url": request.audio_url, "path": request.path, "id": request.id}
    return {key: value for key, value in keys.items() if value is not None}


def recognised(request: Recognise, transcript: Transcript, *, speakers: bool) -> Answer:
    """Give what was said in a file.

    Args:
        request: Who asked for it.
        transcript: What was said.
        speakers: Whether to say by whom.
    """
    answer: Answer = {
        "text": transcript.text,
        "language": transcript.language,
        "duration": round(transcript.duration, DIGITS),
        "words": [_word(word) for part in transcript.utterances for word in part.words],
        **about(request),
        "model": transcript.model,
    }
    if transcript.language_probability is not None:
        answer["language_probability"] = round(transcript.language_probability, DIGITS)
    if speakers:
        answer["utterances"] = [_utterance(part) for part in transcript.utterances]
    return answer


def failed(keys: Mapping[str, Any], reason: str, **facts: bool) -> Answer:
    """Say what is wrong.

    Args:
        keys: By which the client knows what it is about.
        reason: One line, with the cure where there is one.
        facts: `canceled` or `busy`, where that is why.
    """
    return {"error": reason, **keys, **facts}


def progress(request: Recognise, heard_s: float, total_s: float) -> Answer:
    """Say how far a file is; `progress` is missing where the file does not say how long it is."""
    part = {"progress": round(min(heard_s / total_s, 1.0), 4)} if total_s > 0 else {}
    rest = {"heard_s": round(heard_s, DIGITS), "total_s": round(total_s, DIGITS)}
    return {**about(request), **part, **rest}


def pong(name: Name | None) -> Answer:
    """Say that we live."""
    return {"status": "pong"} | ({} if name is None else {"id": name})


def status(name: Name | None, facts: Mapping[str, Any]) -> Answer:
    """Say how we are."""
    return {"status": "running", **facts} | ({} if name is None else {"id": name})


def of_stream(name: Name, event: SttEvent) -> Answer:
    """Say what was understood on a stream."""
    match event:
        case Word():
            return {"type": "word", "stream": name, **_word(event)}
        case Tentative(text=text):
            return {"type": "tentative", "stream": name, "text": text}
        case Pause():
            return {"type": "pause", "stream": name}


def stream(kind: str, name: Name, **facts: Any) -> Answer:
    """Say something else of a stream: `opened`, `taken`, `done`, `closed`, `error`."""
    return {"type": kind, "stream": name, **facts}


def _utterance(part: Utterance) -> Answer:
    return {
        "speaker": part.speaker,
        "text": part.text,
        "start": _seconds(part.start),
        "end": _seconds(part.end),
    }


def _word(word: Word) -> Answer:
    found = {"text": word.text, "start": _seconds(word.start), "end": _seconds(word.end)}
    return found | {"joined": True} if word.joined else found


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
