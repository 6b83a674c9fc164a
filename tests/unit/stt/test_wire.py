"""The service's JSON, in all its dialects."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from livebot.audio.pcm import Samples
from livebot.errors import AudioError, EngineError
from livebot.stt import wire
from livebot.stt.engine import Pause, SttEvent, Tentative, Word
from livebot.stt.wire import Decoder, Dialect, Encoder

TEXT = st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=12)
TIMES = st.none() | st.integers(0, 10**8).map(lambda ms: ms / 1000)
WORDS = st.builds(Word, TEXT, TIMES, TIMES)
PIECES = st.builds(Word, TEXT, TIMES, TIMES, joined=st.booleans())
SAMPLES = arrays(np.float32, st.integers(0, 50), elements=st.floats(-1, 1, width=32))


def decode(*messages: str | bytes | dict[str, object]) -> list[SttEvent]:
    """Return what one stream's messages say."""
    decoder = Decoder()
    texts = [json.dumps(m) if isinstance(m, dict) else m for m in messages]
    return [event for text in texts for event in decoder.feed(text)]


def token(text: str) -> dict[str, object]:
    """Return a token as both of Modal's services send it."""
    return {"type": "token", "text": text}


def sentence(events: list[SttEvent]) -> str:
    """Write words down as a reader sees them."""
    words = [event for event in events if isinstance(event, Word)]
    return "".join(w.text if w.joined else f" {w.text}" for w in words).strip()


@given(SAMPLES)
def test_samples_survive_the_wire(samples: Samples) -> None:
    """What is sent is what is received, four bytes each."""
    data = wire.encode_audio(samples)

    assert len(data) == 4 * len(samples)
    assert np.array_equal(wire.decode_audio(data), samples)


def test_samples_are_little_endian_floats() -> None:
    """The byte order is the service's, whatever the machine's."""
    assert wire.encode_audio(np.array([1.0, -0.5], np.float32)).hex() == "0000803f000000bf"


@given(st.binary(max_size=64))
def test_any_bytes_are_samples_or_an_audio_error(data: bytes) -> None:
    """Whatever a client sends, only numbers in [-1, 1] reach the engine."""
    try:
        samples = wire.decode_audio(data)
    except AudioError:
        assert len(data) % 4
    else:
        assert len(samples) == len(data) / 4
        assert np.all(np.abs(samples) <= 1)


@given(st.lists(WORDS | st.builds(Tentative, TEXT) | st.builds(Pause)))
def test_rust_dialect_carries_the_words(events: list[SttEvent]) -> None:
    """Bare words arrive as they were, with their times; there is no more in this dialect.

    Spec: engines/Word times over the wire.
    """
    encoder = Encoder(Dialect.RUST)

    messages = [m for event in events if (m := encoder.feed(event)) is not None]

    assert decode(*messages) == [event for event in events if isinstance(event, Word)]


@given(WORDS, st.lists(PIECES | st.builds(Tentative, TEXT) | st.builds(Pause)))
def test_python_dialect_carries_words_pieces_and_pauses(
    first: Word, events: list[SttEvent]
) -> None:
    """Pieces are joined as they were, pauses stand where they stood, times are the same.

    Spec: engines/Word times over the wire.
    """
    encoder = Encoder(Dialect.PYTHON)
    events = [first, *events]

    messages = [m for event in events if (m := encoder.feed(event)) is not None]

    assert decode(*messages) == [event for event in events if not isinstance(event, Tentative)]


def test_times_of_a_phrase_are_those_of_its_ends() -> None:
    """Several words in one token: the first has the start, the last the end."""
    phrase = {"type": "token", "text": " so be it", "start": 1, "end": 2.5, "speaker": "x"}

    assert decode(phrase) == [Word("so", start=1.0), Word("be"), Word("it", end=2.5)]


@pytest.mark.parametrize("value", ["1", True, -0.1, None, [1], 10**400])
def test_times_that_are_none_are_left_out(value: object) -> None:
    """A peer's nonsense costs the times, not the word."""
    assert decode({"type": "token", "text": "so", "start": value, "end": 1}) == [
        Word("so", end=1.0)
    ]


@given(st.lists(TEXT | TEXT.map(" {}".format), max_size=20))
def test_spaced_pieces_are_concatenated(pieces: list[str]) -> None:
    """After a leading space has been seen, the text is the pieces one after the other."""
    said = [" Well", *pieces]

    assert sentence(decode(*map(token, said))) == " ".join("".join(said).split())


@given(st.lists(TEXT, max_size=20))
def test_bare_words_are_never_joined(texts: list[str]) -> None:
    """Without any leading space each token is a word of its own."""
    assert decode(*map(token, texts)) == [Word(text) for text in texts]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["Hello", "everyone."], "Hello everyone."),
        ([" Hel", "lo", " every", "one", "."], "Hello everyone."),
        ([" Hello", " ", "everyone"], "Hello everyone"),
        (["Hello ", "every", "one "], "Hello everyone"),
        (["Hello", "my", " dear", "est"], "Hello my dearest"),
        (["", " Hello", "", "!"], "Hello!"),
        ([" Hello there", ","], "Hello there,"),
        (["\u4f60", "\u597d"], "\u4f60 \u597d"),
        ([" \u4f60", "\u597d"], "\u4f60\u597d"),
    ],
)
def test_spaces_are_right(pieces: list[str], text: str) -> None:
    """Whole words, pieces, or a stream that shows only later which it is."""
    assert sentence(decode(*map(token, pieces))) == text


def test_documented_dialect() -> None:
    """Messages without a type: either name of the end is a pause, after the words."""
    assert decode(
        {"text": " Good", "final": False, "vad_end": False},
        {"text": " day.", "final": True, "vad_end": False},
        {"text": "", "final": False, "vad_end": True},
    ) == [Word("Good"), Word("day."), Pause(), Pause()]


def test_what_says_nothing_is_nothing() -> None:
    """Signs of life and types of tomorrow are not events, and no faults."""
    assert decode({"type": "ping"}, {"type": "status", "text": " x"}, token(""), token(" ")) == []


def test_pause_is_told() -> None:
    """The older service's pauses come out."""
    assert decode(token(" Yes."), {"type": "vad_end"}) == [Word("Yes."), Pause()]


def test_error_is_raised_short_and_printable() -> None:
    """The service's own words fit into one line of a log."""
    with pytest.raises(EngineError) as caught:
        decode({"type": "error", "message": "no\nGPU " + "x" * 1_000})

    assert "noGPU x" in str(caught.value)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    "message",
    [
        "",
        "null",
        "[]",
        "5",
        "{",
        b"\xff",
        '"\ud800"',
        "[" * 100_000,
        '{"type": 5}',
        '{"type": null, "text": "x"}',
        '{"type": "token"}',
        '{"type": "token", "text": 5}',
        '{"text": 5}',
        "{}",
    ],
)
def test_garbage_is_an_engine_error(message: str | bytes) -> None:
    """What is not of the protocol has one documented fault."""
    with pytest.raises(EngineError) as caught:
        decode(message)

    assert caught.value.retryable


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["token", "vad_end", "ping", "error", " a", "a ", " "])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
GARBAGE = st.dictionaries(
    st.sampled_from(["type", "text", "final", "vad_end", "message", "start", "end", "x"]), VALUES
)


@given(st.lists(GARBAGE.map(json.dumps) | st.text(max_size=20) | st.binary(max_size=20)))
def test_whatever_comes_only_engine_errors_leave(messages: list[str | bytes]) -> None:
    """Right keys with wrong values included; a fault does not spoil what comes after it."""
    decoder = Decoder()
    for message in messages:
        try:
            events = decoder.feed(message)
        except EngineError:
            continue
        assert all(isinstance(event, Word | Pause) for event in events)
        assert all(e.text == e.text.strip() != "" for e in events if isinstance(e, Word))

    assert decoder.feed(json.dumps(token(" sound"))) == [Word("sound")]
