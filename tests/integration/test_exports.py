"""Subtitles of any conversation, read by another program.

What single cues look like is proved beside `livebot/transcripts`; a browser reads them in
`tests/system/test_vtt_in_browser.py`.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.stt.engine import Word
from livebot.transcripts.cues import cues
from livebot.transcripts.export import write
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean
from tests.support.conversations import SPACELESS, conversations

_VOICE = re.compile(r"^<v ([^>]*)>")

some = settings(max_examples=60)


def read(text: str, form: str) -> pysubs2.SSAFile:
    """Return what another program makes of a file."""
    return pysubs2.SSAFile.from_string(text, form, keep_html_tags=True)


def shown(event: pysubs2.SSAEvent) -> str:
    """Return a cue's text as it is in the file."""
    return event.text.replace("\\N", "\n")


def by_speaker(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what each said, with one space wherever there are some."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, text in texts:
        found[clean(name)].append(text)
    together = {name: " ".join(" ".join(texts).split()) for name, texts in found.items()}
    return {name: text for name, text in together.items() if text}


def said_by_speaker(said: Transcript) -> dict[str, str]:
    """Return what each said."""
    return by_speaker((each.speaker, clean(each.text)) for each in said.utterances)


def squeezed(texts: dict[str, str]) -> dict[str, str]:
    """Return texts without spaces, for a line may end where there is none.

    And without what cannot be seen, and what the other program takes for the end of a line.
    """
    found = {name: re.sub(r" |\u2060|\\N", "", text) for name, text in texts.items()}
    return {name: text for name, text in found.items() if text}


def check_times(found: pysubs2.SSAFile) -> None:
    """Check that each cue begins after the one before, and ends after it begins."""
    assert all(each.start < each.end for each in found)
    assert all(one.start < other.start for one, other in pairwise(found))


def srt_by_speaker(said: Transcript, *, words: bool) -> dict[str, str]:
    """Return what another program reads of each."""
    found = read(write(said, "srt", words=words), "srt")
    check_times(found)
    texts = []
    # Who speaks is before the words there, so somebody has to know.
    for event, cue in zip(found, cues(said, words=words, named=True), strict=True):
        name = clean(cue.speaker)
        text = shown(event).replace("\u2060", "")
        assert text.startswith(f"{name}: " if name else "")
        texts.append((name, text.removeprefix(f"{name}: ") if name else text))
    return by_speaker(texts)


def vtt_by_speaker(said: Transcript) -> dict[str, str]:
    """Return what another program reads of each."""
    found = read(write(said, "vtt"), "vtt")
    check_times(found)
    texts = []
    for event in found:
        voice = _VOICE.match(shown(event))
        name = html.unescape(voice[1]) if voice else ""
        texts.append((name, html.unescape(_VOICE.sub("", shown(event)))))
    return by_speaker(texts)


@some
@given(conversations(), st.booleans())
def test_every_srt_is_read(said: Transcript, words: bool) -> None:
    """Times increase, and the text is what was said. Spec: transcripts/Subtitles."""
    assert squeezed(srt_by_speaker(said, words=words)) == squeezed(said_by_speaker(said))


@some
@given(conversations())
def test_every_vtt_is_read(said: Transcript) -> None:
    """Times increase, and the text is what was said. Spec: transcripts/Subtitles."""
    assert squeezed(vtt_by_speaker(said)) == squeezed(said_by_speaker(said))


@some
@given(conversations(plain=True))
def test_languages_with_spaces_are_the_same_to_the_last_space(said: Transcript) -> None:
    """No word of them is cut, and none is joined to another. Spec: transcripts/Subtitles."""
    theirs = tuple(each for each in said.utterances if each.language not in SPACELESS)
    said = replace(said, utterances=theirs)
    assert srt_by_speaker(said, words=False) == said_by_speaker(said)
    assert vtt_by_speaker(said) == said_by_speaker(said)


@pytest.mark.parametrize("number", ["42", "٤٢"])
def test_a_number_at_the_end_stays(number: str) -> None:
    """Which may look like that of a next cue. Spec: transcripts/Subtitles."""
    words = [Word("Kraftfahrzeughaftpflichtversicherungsamt", 0.0, 1.0), Word(number, 1.0, 2.0)]
    said = Transcript((Utterance(tuple(words)),), 2.0)
    assert len(cues(said)[0].lines) == 2
    assert srt_by_speaker(said, words=False) == said_by_speaker(said)


@pytest.mark.parametrize("texts", [("00:00:01,000", "-->", "00:00:02.000"), ("1:02.50", "01:3.5")])
@pytest.mark.parametrize("name", ["", "Ada", "00:00:01.000", "00:00:01.000 00:00:03.000"])
def test_times_that_are_said_are_no_times(texts: tuple[str, ...], name: str) -> None:
    """However many of them are on a line. Spec: transcripts/Subtitles."""
    said = Transcript((Utterance(tuple(Word(text, 0.0, 1.0) for text in texts), name),), 2.0)
    assert squeezed(srt_by_speaker(said, words=False)) == squeezed(said_by_speaker(said))
    theirs = {key.replace("\u2060", ""): text for key, text in vtt_by_speaker(said).items()}
    assert squeezed(theirs) == squeezed(said_by_speaker(said))


def test_one_time_is_as_it_was_said() -> None:
    """Swimmers have some."""
    said = Transcript((Utterance((Word("1:02.50", 0.0, 1.0), Word("min", 1.0, 2.0))),), 2.0)
    assert "\n1:02.50 min\n" in write(said, "srt")
    assert "\n1:02.50 min\n" in write(said, "vtt")


def test_who_is_nobody_has_no_name() -> None:
    """Nor a colon, nor a voice."""
    said = Transcript((Utterance((Word("Hm.", 0.0, 1.0),), "\x00 \n"),), 2.0)
    assert write(said, "srt").splitlines()[2] == "Hm."
    assert write(said, "vtt").splitlines()[3] == "Hm."
