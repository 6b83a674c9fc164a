"""Plain text and Markdown."""

import re

from hypothesis import given

from livebot.transcripts.model import Transcript
from livebot.transcripts.pieces import clean
from livebot.transcripts.texts import md, txt
from tests.support.transcripts import says, some, transcripts

_HEAD = re.compile(r"\*\*\[[\d:]+\](?: (.*?):)?\*\* ")


@some
@given(transcripts())
def test_text_is_a_line_per_utterance(said: Transcript) -> None:
    """With the speaker, where known. Spec: transcripts/Formats."""
    assert txt(said, words=False).split("\n")[:-1] == [
        f"{each.speaker}: {clean(each.text)}" if each.speaker else clean(each.text)
        for each in said.utterances
    ]


@some
@given(transcripts())
def test_no_word_is_markup(said: Transcript) -> None:
    """Without its backslashes, the text is what was said."""
    title, *blocks = md(said, words=False).rstrip("\n").split("\n\n")
    assert title.startswith("# ")

    text = " ".join(_HEAD.sub("", block) for block in blocks if _HEAD.match(block))

    bare = re.sub(r"\\.", "", text)
    assert re.search(r"[*`<>\[\]]|(?<!\w)_|_(?!\w)", bare) is None
    assert re.sub(r"\\([\\`*_\[\]<>#|~&$])", r"\1", text).split() == clean(said.text).split()


def test_markdown() -> None:
    """Paragraphs end where the speaker changes, and at long pauses."""
    said = Transcript(
        (
            says("And", "so.", speaker="SPEAKER_1"),
            says("Yes.", begin=2, speaker="SPEAKER_1"),
            says("No.", begin=3, speaker="SPEAKER_2"),
            says("Well.", begin=70, speaker="SPEAKER_2"),
        ),
        75.0,
        "en",
        0.984,
        "base",
        "_a_b.wav",
        ("SPEAKER_1", "SPEAKER_2"),
    )
    assert md(said, words=False) == (
        "# \\_a_b.wav\n\n1:15 · en (98%) · base · SPEAKER_1 · SPEAKER_2\n\n"
        "**[0:00] SPEAKER_1:** And so. Yes.\n\n"
        "**[0:03] SPEAKER_2:** No.\n\n"
        "**[1:10] SPEAKER_2:** Well.\n"
    )


def test_words_with_times() -> None:
    """A line each, or a row of a table."""
    said = Transcript((says("And", "so|", speaker="A"),), 2.0)
    assert txt(said, words=True) == (
        "[00:00:00.000 --> 00:00:00.400] A: And\n[00:00:00.400 --> 00:00:00.800] A: so|\n"
    )
    assert md(said, words=True).splitlines()[4:] == [
        "| start | end | speaker | word |",
        "|---|---|---|---|",
        "| 00:00:00.000 | 00:00:00.400 | A | And |",
        "| 00:00:00.400 | 00:00:00.800 | A | so\\| |",
    ]


def test_silence() -> None:
    """Nothing was said."""
    assert txt(Transcript((), 3.0), words=False) == ""
    assert md(Transcript((), 3.0), words=False) == "# Transcript\n\n0:03\n"
