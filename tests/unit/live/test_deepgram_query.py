"""What clients of Deepgram's may ask for."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import RequestError
from livebot.live.deepgram_query import MOST_WARNINGS, parse

NAMES = (
    "encoding", "sample_rate", "channels", "interim_results", "language", "model", "redact",
    "multichannel", "vad_events", "utterance_end_ms", "detect_language", "keyterm", "tag",
)  # fmt: skip


def test_nothing_asked() -> None:
    """Packed audio in the service's own language, and finals only."""
    wanted = parse([])

    assert (wanted.options.encoding, wanted.options.language) == ("auto", "")
    assert (wanted.interim, wanted.options.interim) == (False, False)
    assert (wanted.speech_events, wanted.utterance_ends, wanted.ignored) == (False, False, ())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("linear16", "pcm_s16le"),
        ("linear32", "pcm_f32le"),
        ("mulaw", "mulaw"),
        ("alaw", "alaw"),
        ("opus", "opus"),
        ("ogg-opus", "ogg"),
    ],
)
def test_encodings(theirs: str, ours: str) -> None:
    """Each has a name here."""
    options = parse([("encoding", theirs), ("sample_rate", "8000"), ("channels", "2")]).options

    assert (options.encoding, options.rate_hz, options.channels) == (ours, 8000, 2)


@pytest.mark.parametrize(
    ("asked", "language"),
    [("language=de", "de"), ("language=multi", "auto"), ("detect_language=true", "auto")],
)
def test_languages(asked: str, language: str) -> None:
    """One, or to be found out."""
    name, _, value = asked.partition("=")

    assert parse([(name, value)]).options.language == language


@pytest.mark.parametrize(
    "name", ["callback", "diarize", "dictation", "multichannel", "numerals", "redact", "replace"]
)
def test_what_would_change_words_is_refused(name: str) -> None:
    """Spec: compatible-clients/Nothing is ignored silently."""
    assert parse([(name, "false")]) == parse([])
    with pytest.raises(RequestError, match=name):
        parse([(name, "true")])


def test_what_has_no_effect_is_noted() -> None:
    """Once each, and not without end."""
    asked = [("keyterm", "Ada"), ("keyterm", "Bob"), ("endpointing", "300"), ("model", "nova-3")]
    assert parse(asked).ignored == ("keyterm", "endpointing")

    many = [(f"x{number}", "1") for number in range(1000)]
    assert len(parse(many).ignored) == MOST_WARNINGS


@pytest.mark.parametrize("number", ["", "0", "7999", "1e4", "16_000", " 16000", "१६०००", "9" * 99])
def test_rates(number: str) -> None:
    """Digits within bounds; nothing is the usual one."""
    asked = [("encoding", "linear16"), ("sample_rate", number)]
    if number == "":
        assert parse(asked).options.rate_hz == 48_000
        return
    with pytest.raises(RequestError, match="sample_rate"):
        parse(asked)


@given(st.lists(st.tuples(st.sampled_from(NAMES) | st.text(), st.text() | st.just("true"))))
def test_whatever_is_asked(query: list[tuple[str, str]]) -> None:
    """It is understood, or refused. Spec: compatible-clients/Whatever clients send."""
    with suppress(RequestError):
        wanted = parse(query)
        assert wanted.options.rate_hz > 0
