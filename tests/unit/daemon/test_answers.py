"""Answers have the keys that clients wait for."""

import json

from hypothesis import given
from hypothesis import strategies as st

from livebot.daemon import answers
from livebot.daemon.requests import Recognise
from livebot.stt.engine import Pause, Tentative, Word
from livebot.transcripts.model import Transcript, Utterance

SAID = Transcript(
    utterances=(
        Utterance((Word("Hi", 0.12345, 0.5), Word(",", 0.5, 0.5, joined=True)), "SPEAKER_1"),
        Utterance((Word("you.", None, None),), "SPEAKER_2"),
    ),
    duration=4.00049,
    language="en",
    model="tiny",
)


def test_an_answer_is_as_clients_expect() -> None:
    """The seed's keys, and its URL; then what else is known.

    Spec: daemon/Answers.
    """
    answer = answers.recognised(Recognise(audio_url="http://a", id=3), SAID, speakers=False)

    assert answer == {
        "text": "Hi, you.",
        "language": "en",
        "duration": 4.0,
        "words": [
            {"text": "Hi", "start": 0.123, "end": 0.5},
            {"text": ",", "start": 0.5, "end": 0.5, "joined": True},
            {"text": "you.", "start": None, "end": None},
        ],
        "audio_url": "http://a",
        "id": 3,
        "model": "tiny",
    }


def test_a_client_gets_the_keys_back_that_it_gave() -> None:
    """And no others, so that none of them is empty."""
    assert answers.about(Recognise(path="/a")) == {"path": "/a"}
    assert answers.about(Recognise(audio_url="u", id=0)) == {"audio_url": "u", "id": 0}


def test_who_spoke_is_said_where_it_was_asked() -> None:
    """Utterance by utterance.

    Spec: daemon/Speakers.
    """
    answer = answers.recognised(Recognise(path="/a"), SAID, speakers=True)

    assert answer["utterances"] == [
        {"speaker": "SPEAKER_1", "text": "Hi,", "start": 0.123, "end": 0.5},
        {"speaker": "SPEAKER_2", "text": "you.", "start": 0.0, "end": 0.0},
    ]


def test_a_detected_language_comes_with_its_probability() -> None:
    """One that was told does not."""
    found = Transcript((), 0.0, language="de", language_probability=0.98765)

    answer = answers.recognised(Recognise(path="/a"), found, speakers=False)

    assert answer["language_probability"] == 0.988


def test_progress_is_a_part_where_the_length_is_known() -> None:
    """And never more than all."""
    request = Recognise(audio_url="u", id="x")

    assert answers.progress(request, 1.0, 4.0)["progress"] == 0.25
    assert answers.progress(request, 5.0, 4.0)["progress"] == 1.0
    assert answers.progress(request, 1.0, 0.0) == {
        "audio_url": "u",
        "id": "x",
        "heard_s": 1.0,
        "total_s": 0.0,
    }


def test_streams_are_told_by_name() -> None:
    """Each event has its type."""
    assert answers.of_stream("a", Word("x", 0.0, 1.0)) == {
        "type": "word",
        "stream": "a",
        "text": "x",
        "start": 0.0,
        "end": 1.0,
    }
    assert answers.of_stream(1, Tentative("x")) == {"type": "tentative", "stream": 1, "text": "x"}
    assert answers.of_stream(1, Pause()) == {"type": "pause", "stream": 1}


def test_the_first_line_says_whether_there_will_be_others() -> None:
    """An error has its cause under either key, since clients look at one of them."""
    assert answers.ready("tiny")["status"] == "ready"
    assert answers.ready("tiny")["model"] == "tiny"
    assert answers.not_ready("why") == {"status": "error", "error": "why", "message": "why"}
    assert answers.pong(None) == {"status": "pong"}
    assert answers.pong(0) == {"status": "pong", "id": 0}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_answer_is_one_line(text: str) -> None:
    """Whatever is in it."""
    line = answers.encode({"text": text})

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"text": text}
