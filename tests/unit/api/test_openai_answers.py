"""What clients of OpenAI's ask of a file, and the forms they are answered in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api.openai_answers import (
    FORMATS,
    WORDS,
    Streamed,
    Wanted,
    answer,
    model,
    models,
    parse,
)
from livebot.api.openai_errors import FieldError, UnknownModelError, shape
from livebot.errors import BusyError, LivebotError
from livebot.feeds.events import EventWord
from livebot.store.records import (
    JobOptions,
    Kind,
    StoredTranscript,
    StoredUtterance,
    TranscriptHead,
)

NAMES = (
    "model", "response_format", "stream", "language", "languages[]", WORDS, "include[]",
    "temperature", "known_speaker_names[]", "prompt",
)  # fmt: skip


@st.composite
def transcripts(draw: st.DrawFn) -> StoredTranscript:
    """Return transcripts of up to thirty speakers."""
    utterances = []
    now = 0.0
    for words in draw(st.lists(st.lists(st.text("abé.", min_size=1), min_size=1, max_size=5))):
        begin = now
        said = []
        for word in words:
            said.append(EventWord(word, now, now + 0.4))
            now += 0.5
        speaker = f"SPEAKER_{draw(st.integers(1, 30))}"
        utterances.append(
            StoredUtterance(
                text=" ".join(words), words=tuple(said), start=begin, end=now, speaker=speaker
            )
        )
    head = TranscriptHead(id="i", kind=Kind.JOB, owner="o", language="en", duration=now)
    return StoredTranscript(head, tuple(utterances))


def wanted(**fields: str) -> Wanted:
    """Return what fields ask for."""
    return parse({name: [value] for name, value in ({"model": "whisper-1"} | fields).items()})


def body(stored: StoredTranscript, asked: Wanted) -> Any:
    """Return an answer in JSON."""
    content_type, found = answer(stored, asked)
    assert content_type == "application/json"
    return json.loads(found)


@given(transcripts())
def test_all_forms_hold_the_same_text(stored: StoredTranscript) -> None:
    """Spec: compatible-clients/Files in OpenAI's form."""
    text = " ".join(each.text for each in stored.utterances)

    assert body(stored, wanted())["text"] == text
    both = Wanted(JobOptions(), form="verbose_json", words=True, segments=True)
    verbose = body(stored, both)
    assert verbose["text"] == text
    assert " ".join(each["text"] for each in verbose["segments"]) == text
    assert " ".join(each["word"] for each in verbose["words"]) == text
    diarized = body(stored, wanted(response_format="diarized_json"))
    assert " ".join(each["text"] for each in diarized["segments"]) == text
    for form in ("text", "srt", "vtt"):
        content_type, _ = answer(stored, wanted(response_format=form))
        assert content_type == "text/plain"


@given(transcripts(), st.data())
def test_joined_deltas_are_the_text(stored: StoredTranscript, data: st.DataObject) -> None:
    """However much is told before the end. Spec: compatible-clients/Files in OpenAI's form."""
    texts = [each.text for each in stored.utterances]
    told = Streamed(wanted())
    events: list[dict[str, Any]] = []
    for until in sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=5))):
        events += told.heard(texts[:until])
    *deltas, done = events + told.finish(stored)

    assert "".join(each["delta"] for each in deltas) == done["text"] == " ".join(texts)


@given(transcripts())
def test_speakers_are_letters(stored: StoredTranscript) -> None:
    """One for each, in the order in which they speak."""
    asked = wanted(model="gpt-4o-transcribe-diarize", response_format="diarized_json")
    found = body(stored, asked)["segments"]

    pairs = {(a.speaker, b["speaker"]) for a, b in zip(stored.utterances, found, strict=True)}
    assert len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs}) == len(pairs)
    if found:
        assert found[0]["speaker"] == "A"
    # Who speaks is known at the end.
    assert Streamed(asked).heard(["x"]) == []
    kinds = [each["type"] for each in Streamed(asked).finish(stored)]
    assert kinds.count("transcript.text.segment") == len(found)


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, JobOptions()),
        ({"model": "gpt-9-transcribe"}, JobOptions()),
        ({"model": "base"}, JobOptions(model="base")),
        ({"language": "de"}, JobOptions(language="de")),
        ({"languages[]": "de"}, JobOptions(language="de")),
        ({"model": "gpt-4o-transcribe-diarize"}, JobOptions(diarize=True)),
        ({"response_format": "diarized_json"}, JobOptions(diarize=True)),
    ],
)
def test_options(fields: dict[str, str], options: JobOptions) -> None:
    """What a job is asked for."""
    assert wanted(**fields).options == options


def test_translation() -> None:
    """Is neither streamed nor diarized."""
    found = parse({"model": ["gpt-4o-transcribe-diarize"], "stream": ["true"]}, translate=True)

    assert (found.options, found.stream) == (JobOptions(translate=True), False)
    with pytest.raises(FieldError, match="response_format"):
        parse({"model": ["whisper-1"], "response_format": ["diarized_json"]}, translate=True)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "doc"}, "response_format"),
        ({"stream": "maybe"}, "stream"),
        ({"stream": "true", "response_format": "vtt"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({WORDS: "word"}, WORDS),
        ({WORDS: "letter", "response_format": "verbose_json"}, WORDS),
        ({"include[]": "logprobs"}, "include[]"),
        ({"model": ""}, "model"),
    ],
)
def test_what_cannot_be_had(fields: dict[str, str], param: str) -> None:
    """Spec: compatible-clients/Nothing is ignored silently."""
    with pytest.raises(FieldError) as caught:
        wanted(**fields)

    assert caught.value.param == param
    assert shape(400, "text", caught.value)[0].error.param == param


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.lists(st.text() | st.sampled_from([*FORMATS, "true", "word", "whisper-1"]), max_size=3),
    )
)
def test_whatever_is_asked(values: dict[str, list[str]]) -> None:
    """It is understood or refused. Spec: compatible-clients/Whatever clients send."""
    try:
        found = parse(values)
    except (FieldError, UnknownModelError) as exc:
        refusal: LivebotError = exc
        assert shape(400, str(refusal), refusal)[0].error.param in NAMES
    else:
        assert found.form in FORMATS


def test_models() -> None:
    """Each that is listed is there. Spec: compatible-clients/Models."""
    names = [each["id"] for each in models()]

    assert len(set(names)) == len(names)
    assert [model(name)["id"] for name in names] == names
    for name in ("parrot", "", "../base"):
        with pytest.raises(UnknownModelError):
            model(name)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (401, "authentication_error"), (429, "rate_limit_error"),
     (503, "server_error")],
)  # fmt: skip
def test_errors(status: int, kind: str) -> None:
    """Programs know them by their kind."""
    found, _ = shape(status, "text", BusyError("text"))

    assert (found.error.type, found.error.message, found.error.code) == (kind, "text", None)
