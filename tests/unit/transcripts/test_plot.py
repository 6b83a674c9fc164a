"""Transcripts as pictures."""

import re
from importlib import resources
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.peaks import Peaks
from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.plot import svg
from livebot.transcripts.plot_style import COLOURS, STYLE, colours
from livebot.transcripts.sheet import Missing
from tests.support.transcripts import says, some, transcripts

_SVG = "{http://www.w3.org/2000/svg}"


def picture(text: str) -> ET.Element:
    """Read a picture."""
    return ET.fromstring(text)  # noqa: S314 - ours


def tone(seconds: float, level: float = 0.1, bin_s: float = 0.01) -> Peaks:
    """Return the peaks of a tone."""
    high = np.full(round(seconds / bin_s), level, np.float32)
    return Peaks(-high, high, bin_s)


def every(root: ET.Element, kind: str) -> list[ET.Element]:
    """Return the elements of a class."""
    return [each for each in root.iter() if kind in each.get("class", "").split()]


@some
@given(transcripts(), st.sampled_from([None, 0.0, 0.5]))
def test_every_picture_is_xml_without_a_script(said: Transcript, level: float | None) -> None:
    """Whatever was said and whatever people are called. Spec: transcripts/Pictures."""
    peaks = None if level is None else tone(said.duration + 1.0, level)
    root = picture(svg(said, peaks, missing=[Missing(0.5, 1.0, "<why> & so")]))
    assert {each.tag.removeprefix(_SVG) for each in root.iter()} <= {
        "svg", "title", "desc", "style", "defs", "pattern", "path", "rect", "text",
    }  # fmt: skip
    assert not [key for each in root.iter() for key in each.attrib if key.startswith("on")]
    assert len(every(root, "missing")) >= 1
    assert bool(every(root, "sound")) == (level is not None)


def test_what_is_on_it() -> None:
    """Sound, speakers, words, times, and what words cannot be seen. Spec: transcripts/Pictures."""
    said = Transcript(
        (
            says("Well,", "yes.", begin=1, speaker="Ada <3"),
            says("No.", begin=12, speaker="Bob"),
        ),
        13.0,
        language="en",
        source="talk & more.wav",
    )

    text = svg(said, tone(13), missing=[Missing(4, 8, "the engine was away")])

    root = picture(text)
    assert root.get("role") == "img"
    labelled = (root.get("aria-labelledby") or "").split()
    about = {each.get("id"): each.text for each in root if each.get("id")}
    assert [about[each] for each in labelled] == [
        "talk & more.wav",
        "0:13 of sound. Speech: Ada <3 for 0:01, Bob for 0:01. Well, yes. No.",
    ]
    assert [each.text for each in every(root, "word")] == ["Well,", "yes.", "No."]
    assert [each.text for each in every(root, "name")] == ["Ada <3", "Bob"]
    titles = [each[0].text for each in (*every(root, "bar"), *every(root, "missing"))]
    assert titles == [
        "Ada <3, 0:01 to 0:01: Well, yes.",
        "Bob, 0:12 to 0:12: No.",
        "Words may be missing from 0:04 to 0:08: the engine was away",
    ]
    times = [each.text for each in every(root, "time")]
    assert times == [f"0:{second:02}" for second in range(14)]
    assert colours(["Ada <3", "Bob"]) == {"Ada <3": 4, "Bob": 5}
    assert {each.get("class") for each in every(root, "sound")} == {
        "sound quiet", "sound s4", "sound s5",
    }  # fmt: skip
    assert "prefers-color-scheme:dark" in text


def test_of_silence_there_is_a_picture() -> None:
    """Which says so."""
    text = svg(Transcript((), 3.0, source="quiet.wav"), tone(3, 0.0))
    assert "nobody speaks in it" in text
    assert "Nobody speaks." in text
    strokes = "".join(each.get("d") or "" for each in every(picture(text), "sound"))
    assert {int(end) - int(begin) for begin, end in re.findall(r" (\d+)V(\d+)", strokes)} == {1}


def test_quiet_recordings_are_shown_as_loud_ones_are() -> None:
    """And one moment of noise makes nothing else small."""
    quiet, loud = tone(10, 0.01), tone(10, 0.9)
    loud.high[5] = 1.0
    assert [
        each.get("d") for each in every(picture(svg(Transcript((), 10.0), quiet)), "sound")
    ] == [each.get("d") for each in every(picture(svg(Transcript((), 10.0), loud)), "sound")]


@pytest.mark.timeout(300)  # of computing, beside other tests
def test_three_hours_are_less_than_a_megabyte() -> None:
    """Of eight people who never stop, in a language whose letters take three bytes each.

    Spec: transcripts/Pictures.
    """
    said = tuple(
        Utterance(
            tuple(
                Word("字&<" * 3, at + n / 4, at + n / 4 + 0.2, joined=bool(n % 2))
                for n in range(8)
            ),
            f"{'人' * 30} {at % 13}",
            "zh",
        )
        for at in range(0, 10_800, 2)
    )
    missing = [Missing(at, at + 5, "字" * 400) for at in range(0, 10_800, 20)]
    text = svg(
        Transcript(said, 10_800.0, source="&" * 5000), tone(10_800, bin_s=0.2), missing=missing
    )
    assert len(text.encode()) < 1_000_000
    picture(text)
    assert len(svg(Transcript(said[:240], 480.0), tone(480), missing=missing).encode()) < 1_000_000


def test_colours_are_those_of_the_page() -> None:
    """Light and dark ones."""
    page = (resources.files("livebot.web") / "colours.css").read_text()
    theirs = re.findall(r"--speaker-(\d): (#\w+)", page)[: 2 * COLOURS]
    assert re.findall(r"--s(\d):(#\w+)", STYLE) == theirs


def test_people_have_the_colours_that_they_have_on_the_page() -> None:
    """The same for a name wherever it is seen, and others for others, as far as there are some.

    What is expected is what `web/colours.js` says.
    """
    assert colours(["SPEAKER_1", "SPEAKER_2", "", "SPEAKER_1", "山田", "𠮷"]) == {
        "SPEAKER_1": 2,
        "SPEAKER_2": 7,
        "山田": 4,
        "𠮷": 6,
    }
    found = colours(str(number) for number in range(40))
    assert set(found.values()) == set(range(COLOURS))
    for begin in range(0, 40, COLOURS):
        assert len({found[str(number)] for number in range(begin, begin + COLOURS)}) == COLOURS
