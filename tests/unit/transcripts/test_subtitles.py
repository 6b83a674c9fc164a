"""SubRip and WebVTT, read by somebody else's parser."""

import html
import re

import pysubs2
from hypothesis import given
from hypothesis import strategies as st

from livebot.transcripts.cues import cues
from livebot.transcripts.model import Transcript
from livebot.transcripts.pieces import clean
from livebot.transcripts.subtitles import srt, vtt
from tests.support.transcripts import says, some, transcripts

_VOICE = re.compile(r"<v [^>]*>")


def squeezed(text: str) -> str:
    """Return a text without what may be lost at the end of a line."""
    return "".join(text.split()).replace("\u2060", "")


@some
@given(transcripts(), st.booleans())
def test_another_parser_reads_every_srt(said: Transcript, words: bool) -> None:
    """As many cues, with these times and words. Spec: transcripts/Subtitles."""
    found = pysubs2.SSAFile.from_string(srt(said, words=words), "srt", keep_html_tags=True)

    expected = cues(said, words=words, named=True)
    assert [(each.start, each.end) for each in found] == [
        (cue.start_ms, cue.end_ms) for cue in expected
    ]
    spoken = "".join(
        re.sub(f"^{re.escape(clean(cue.speaker))}: ", "", each.text) if cue.speaker else each.text
        for each, cue in zip(found, expected, strict=True)
    )
    assert squeezed(spoken.replace("\\N", "\n")) == squeezed(clean(said.text))


@some
@given(transcripts())
def test_another_parser_reads_every_vtt(said: Transcript) -> None:
    """As many cues, with these times and words. Spec: transcripts/Subtitles."""
    found = pysubs2.SSAFile.from_string(vtt(said, words=False), "vtt", keep_html_tags=True)

    assert [(each.start, each.end) for each in found] == [
        (cue.start_ms, cue.end_ms) for cue in cues(said)
    ]
    spoken = "".join(_VOICE.sub("", each.text) for each in found)
    assert squeezed(html.unescape(spoken.replace("\\N", "\n"))) == squeezed(clean(said.text))


@some
@given(transcripts())
def test_times_within_a_cue_of_vtt_are_within_it_and_increase(said: Transcript) -> None:
    """Players ignore those that are not. Apart from them, nothing is different."""
    text = vtt(said, words=True)
    assert re.sub(r"<[\d:.]+>", "", text) == vtt(said, words=False)
    for block in text.split("\n\n")[1:]:
        start, end = block.splitlines()[0].split(" --> ")
        times = [start, *re.findall(r"<([\d:.]+)>", block), end]
        assert times == sorted(set(times))


def test_srt() -> None:
    """Numbers, times with a comma, the speaker before the words."""
    said = Transcript((says("And", "so,", speaker="SPEAKER_1"), says("yes", begin=2)), 3.0)
    assert srt(said, words=False) == (
        "1\n00:00:00,000 --> 00:00:01,000\nSPEAKER_1: And so,\n"
        "\n2\n00:00:02,000 --> 00:00:03,000\nyes\n"
    )


def test_vtt() -> None:
    """Voices, and no mark that means something."""
    said = Transcript((says("a<b", "&", "-->", each_s=0.5, speaker="Q > R"),), 3.0)
    assert vtt(said, words=False) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\n<v Q &gt; R>a&lt;b &amp; --&gt;\n"
    )
    assert vtt(said, words=True).splitlines()[-1] == (
        "<v Q &gt; R>a&lt;b <00:00:00.500>&amp; <00:00:01.000>--&gt;"
    )


def test_what_players_take_for_tags_is_shown_in_srt() -> None:
    """An invisible character parts what would be one."""
    said = Transcript((says("<i>", "-->", "{\\an8}", "a<", "{ }"),), 3.0)
    assert srt(said, words=False).splitlines()[2] == "<\u2060i> --\u2060> {\u2060\\an8} a< { }"


def test_silence() -> None:
    """Nothing was said: a file without cues."""
    assert srt(Transcript((), 3.0), words=False) == ""
    assert vtt(Transcript((), 3.0), words=False) == "WEBVTT\n"
