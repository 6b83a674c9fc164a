"""Transcripts of every kind: many languages, marks that mean something to players, odd times."""

from hypothesis import settings
from hypothesis import strategies as st

from livebot.stt.engine import Word
from livebot.transcripts.model import Transcript, Utterance

_LATIN = (
    "and so my fellow Americans, ask not what your country can do for you. It's 42 3.5 e.g. <i>"
    " </b> --> {\\an8} & &lt; NOTE WEBVTT 1 *a* _b_ [c] |d| #e `f` Kraftfahrzeughaftpflicht"
)
_OTHERS = "我们 的 国家。 「はい」 ありがとう สวัสดีครับ 한국어 नमस्ते e\u0301 \u2066x"
_LONG = ["国" * 60, "a" * 60, "e\u0301" * 60]

WORDS = st.one_of(
    st.sampled_from([*_LATIN.split(), *_OTHERS.split(), *_LONG]),
    st.text(min_size=1, max_size=4).map(str.strip).filter(bool),
)


some = settings(max_examples=40)
"""Transcripts are large: so many of them have all there is to find."""


@st.composite
def utterances(draw: st.DrawFn, begin: float = 0.0, speaker: str = "") -> Utterance:
    """Return somebody's words, with gaps of all lengths and words of none."""
    now = begin
    words: list[Word] = []
    for text in draw(st.lists(WORDS, min_size=1, max_size=12)):
        start = now + draw(st.sampled_from([0.0, 0.01, 0.2, 0.4, 2.0]))
        now = start + draw(st.sampled_from([0.0, 0.0004, 0.1, 0.5, 9.0]))
        words.append(Word(text, start, now, joined=draw(st.booleans()) and bool(words)))
    return Utterance(tuple(words), speaker, draw(st.sampled_from(["", "en", "zh", "th"])))


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Return what several people said one after the other."""
    found: list[Utterance] = []
    for speaker in draw(st.lists(st.sampled_from(["", "SPEAKER_1", "A < B & C"]), max_size=3)):
        begin = found[-1].end if found else 0.0
        found.append(draw(utterances(begin + draw(st.sampled_from([0.0, 1.0])), speaker)))
    speakers = dict.fromkeys(each.speaker for each in found if each.speaker)
    return Transcript(
        tuple(found),
        found[-1].end if found else 3.0,
        language="en",
        language_probability=draw(st.sampled_from([None, 0.5, 1.0])),
        model="moonshine-tiny-en",
        source=draw(st.sampled_from(["talk.wav", "a|b.mp3", ""])),
        speakers=tuple(speakers),
    )


def says(*texts: str, each_s: float = 0.4, begin: float = 0.0, speaker: str = "") -> Utterance:
    """Return words that follow each other without a pause."""
    words = [
        Word(text, begin + number * each_s, begin + (number + 1) * each_s)
        for number, text in enumerate(texts)
    ]
    return Utterance(tuple(words), speaker)
