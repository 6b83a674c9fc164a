"""JSON and tab-separated values."""

import csv
import json as standard
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.transcripts.model import Transcript
from livebot.transcripts.pieces import clean
from livebot.transcripts.tables import as_json, json, tsv
from tests.support.transcripts import says, some, transcripts


@some
@given(transcripts(), st.booleans())
def test_json_says_everything(said: Transcript, words: bool) -> None:
    """Segments and words are in order, and together the text. Spec: transcripts/JSON."""
    found = standard.loads(json(said, words=words))

    assert found == as_json(said, words=words)
    assert found["text"] == said.text == " ".join(each["text"] for each in found["segments"])
    for segment in found["segments"]:
        assert segment["start"] <= segment["end"]
        assert ("words" in segment) == words
        spoken = segment.get("words", [])
        assert all(word["start"] <= word["end"] for word in spoken)
        assert all(a["end"] <= b["start"] for a, b in pairwise(spoken))


@some
@given(transcripts(), st.booleans())
def test_every_row_has_four_cells(said: Transcript, words: bool) -> None:
    """However odd the words are. Spec: transcripts/Formats."""
    lines = tsv(said, words=words).split("\n")[:-1]

    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))

    assert rows[0] == ["start", "end", "speaker", "text"]
    assert all(len(row) == 4 for row in rows)
    assert all(int(start) <= int(end) for start, end, *_ in rows[1:])
    if not words:
        assert [row[3] for row in rows[1:]] == [clean(each.text) for each in said.utterances]


def test_json() -> None:
    """Its keys are promised. Spec: transcripts/JSON."""
    said = Transcript(
        (says("And", "so", speaker="SPEAKER_1"),),
        2.00049,
        "en",
        0.5,
        "base",
        "a.wav",
        ("SPEAKER_1",),
    )
    assert as_json(said, words=True) == {
        "text": "And so",
        "language": "en",
        "language_probability": 0.5,
        "duration": 2.0,
        "model": "base",
        "source": "a.wav",
        "speakers": ["SPEAKER_1"],
        "segments": [
            {
                "start": 0.0,
                "end": 0.8,
                "speaker": "SPEAKER_1",
                "language": "",
                "text": "And so",
                "words": [
                    {"text": "And", "start": 0.0, "end": 0.4, "joined": False},
                    {"text": "so", "start": 0.4, "end": 0.8, "joined": False},
                ],
            }
        ],
    }


@pytest.mark.parametrize(("words", "rows"), [(False, ["0\t800\t\tAnd so"]), (True, None)])
def test_rows(words: bool, rows: list[str] | None) -> None:
    """Of utterances, or of words."""
    said = Transcript((says("And", "so"),), 2.0)
    expected = rows or ["0\t400\t\tAnd", "400\t800\t\tso"]
    assert tsv(said, words=words).splitlines()[1:] == expected
