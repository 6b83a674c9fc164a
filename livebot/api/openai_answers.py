"""What clients of OpenAI's ask of a file, and the forms they are answered in (pure)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from livebot.api.openai_errors import FieldError, UnknownModelError
from livebot.live import openai_names
from livebot.store.exporting import transcript_of
from livebot.store.records import JobOptions, StoredTranscript
from livebot.stt.models.catalog import names
from livebot.stt.whisper.languages import NAMES
from livebot.transcripts.export import write
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.spoken import words_of

FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
TRANSLATION_FORMATS: Final = FORMATS[:-1]
_FILES: Final = {"text": "txt", "srt": "srt", "vtt": "vtt"}
_JSON: Final = "application/json"

WORDS: Final = "timestamp_granularities[]"
_GRANULARITIES: Final = frozenset({"word", "segment"})

_CANNOT: Final = {
    "include[]": "nobody here knows how sure each word is",
    "known_speaker_names[]": "speakers are told apart, and not recognised",
    "known_speaker_references[]": "speakers are told apart, and not recognised",
}

_DIARIZES: Final = "-diarize"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a file.

    Attributes:
        options: Of the job.
        form: One of `FORMATS`.
        words: Whether with the times of words.
        segments: Whether with those of utterances.
        stream: Whether it is told as it becomes known.
    """

    options: JobOptions
    form: str = "json"
    words: bool = False
    segments: bool = True
    stream: bool = False

    @property
    def has_speakers(self) -> bool:
        """Whether the answer says who speaks."""
        return self.form == "diarized_json"


def parse(values: Mapping[str, Sequence[str]], *, translate: bool = False) -> Wanted:
    """Read the fields of a form.

    Args:
        values: They, as often as each came.
        translate: Whether it is to be written down in English.

    Raises:
        FieldError: What one of them asks for cannot be had.
        UnknownModelError: There is no such model.
    """
    for name, why in _CANNOT.items():
        if values.get(name):
            raise FieldError(f"{name} cannot be had: {why}", name)
    formats = TRANSLATION_FORMATS if translate else FORMATS
    form = _choice(values, "response_format", formats)
    granularities = frozenset(values.get(WORDS, ()))
    if not granularities <= _GRANULARITIES:
        raise FieldError(f"{WORDS} must be word or segment", WORDS)
    if granularities and form != "verbose_json":
        raise FieldError(f"{WORDS} goes with response_format=verbose_json", WORDS)
    _check_number(values, "temperature")
    stream = not translate and _choice(values, "stream", ("false", "true")) == "true"
    if stream and form in ("srt", "vtt"):
        raise FieldError("stream goes with json, text or diarized_json", "stream")
    model = _one(values, "model")
    return Wanted(
        options=JobOptions(
            model=_model(model),
            language=_language(values),
            diarize=form == "diarized_json" or (not translate and model.endswith(_DIARIZES)),
            translate=translate,
        ),
        form=form,
        words="word" in granularities,
        segments="segment" in granularities or not granularities,
        stream=stream,
    )


def answer(stored: StoredTranscript, wanted: Wanted) -> tuple[str, bytes]:
    """Return the type of an answer's content, and the content."""
    transcript = transcript_of(stored)
    if wanted.form in _FILES:
        return "text/plain", write(transcript, _FILES[wanted.form]).encode()
    if wanted.form == "verbose_json":
        return _JSON, _encode(_verbose(transcript, wanted))
    if wanted.form == "diarized_json":
        return _JSON, _encode(_diarized(transcript))
    return _JSON, _encode({"text": transcript.text, "usage": _usage(transcript)})


class Streamed:
    """What is told of a transcript as it grows: the deltas, joined, are its text.

    Args:
        wanted: How it is told.

    Attributes:
        text: The deltas so far, joined.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.text = ""
        self._wanted = wanted
        self._count = 0

    def heard(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return what tells of utterances so far; nothing while nobody knows who said them."""
        if self._wanted.options.diarize:
            return []
        new = texts[self._count :]
        self._count += len(new)
        return [self._told(text) for text in new]

    def finish(self, stored: StoredTranscript) -> list[dict[str, Any]]:
        """Return what was not told yet, and that this is all."""
        transcript = transcript_of(stored)
        out = segments(transcript) if self._wanted.has_speakers else []
        if transcript.text.startswith(self.text):
            texts = [each.text for each in transcript.utterances]
            out += [self._told(text) for text in texts[self._count :]]
        return [*out, {"type": "transcript.text.done", "text": transcript.text}]

    def _told(self, text: str) -> dict[str, Any]:
        delta = f" {text}" if self.text else text
        self.text += delta
        return {"type": "transcript.text.delta", "delta": delta}


def segments(transcript: Transcript) -> list[dict[str, Any]]:
    """Return who says what, and when."""
    letters = {name: _letters(number) for number, name in enumerate(transcript.speakers)}
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{number:03}",
            "start": each.start,
            "end": each.end,
            "text": each.text,
            "speaker": letters.get(each.speaker, ""),
        }
        for number, each in enumerate(transcript.utterances)
    ]


def models() -> list[dict[str, Any]]:
    """Return the models: OpenAI's names, which all mean the service's own, and ours."""
    return [model(name) for name in (*openai_names.MODELS, *names())]


def model(name: str) -> dict[str, Any]:
    """Return one.

    Raises:
        UnknownModelError: There is none.
    """
    if not openai_names.is_own(name) and name not in names():
        raise UnknownModelError
    return {"id": name, "object": "model", "created": 0, "owned_by": openai_names.OWN}


def _verbose(transcript: Transcript, wanted: Wanted) -> dict[str, Any]:
    language = transcript.language
    found: dict[str, Any] = {
        "task": "translate" if wanted.options.translate else "transcribe",
        "language": NAMES.get(language, language).lower(),
        "duration": transcript.duration,
        "text": transcript.text,
        "usage": _usage(transcript),
    }
    if wanted.segments:
        found["segments"] = [_segment(*each) for each in enumerate(transcript.utterances)]
    if wanted.words:
        found["words"] = [word for each in transcript.utterances for word in _words(each)]
    return found


def _segment(number: int, said: Utterance) -> dict[str, Any]:
    """Return an utterance. Clients sort out what the model doubts: nothing here looks so."""
    return {
        "id": number,
        "seek": 0,
        "start": said.start,
        "end": said.end,
        "text": said.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": 0.0,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }


def _words(said: Utterance) -> list[dict[str, Any]]:
    """Return words; pieces that belong together are one."""
    found: list[dict[str, Any]] = []
    for word in words_of(said):
        end = word.end_ms / 1000
        if found and word.joined:
            found[-1]["word"] += word.text
            found[-1]["end"] = end
        else:
            found.append({"word": word.text, "start": word.start_ms / 1000, "end": end})
    return found


def _diarized(transcript: Transcript) -> dict[str, Any]:
    return {
        "task": "transcribe",
        "duration": transcript.duration,
        "text": transcript.text,
        "segments": segments(transcript),
        "usage": _usage(transcript),
    }


def _usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(transcript.duration)}


def _letters(number: int) -> str:
    """Return A to Z, then AA and so on."""
    more, last = divmod(number, 26)
    return (_letters(more - 1) if more else "") + chr(ord("A") + last)


def _model(asked: str) -> str:
    if not asked:
        raise FieldError("model is missing; GET /v1/models lists them", "model")
    return "" if openai_names.is_own(asked) else str(model(asked)["id"])


def _language(values: Mapping[str, Sequence[str]]) -> str:
    """Return the only one that it can be; several are a hint that nobody takes here."""
    several = values.get("languages[]", ())
    return _one(values, "language") or (several[0] if len(several) == 1 else "")


def _choice(values: Mapping[str, Sequence[str]], name: str, choices: Sequence[str]) -> str:
    asked = _one(values, name) or choices[0]
    if asked.lower() not in choices:
        raise FieldError(f"{name} must be one of {', '.join(choices)}", name)
    return asked.lower()


def _check_number(values: Mapping[str, Sequence[str]], name: str) -> None:
    try:
        float(_one(values, name) or 0)
    except ValueError:
        raise FieldError(f"{name} must be a number", name) from None


def _one(values: Mapping[str, Sequence[str]], name: str) -> str:
    found = values.get(name, ())
    if len(found) > 1:
        raise FieldError(f"{name} must be given once", name)
    return found[0] if found else ""
