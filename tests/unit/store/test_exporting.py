"""What is kept, made into what is given out."""

import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.feeds.events import EventWord
from livebot.store.exporting import transcript_of
from livebot.store.records import Kind, StoredTranscript, StoredUtterance, TranscriptHead
from livebot.transcripts.export import FORMATS, write

HEAD = TranscriptHead(
    id="a" * 32,
    kind=Kind.LIVE,
    owner="ops",
    title="Monday",
    language="en",
    model="moshi",
    duration=9.0,
    language_probability=0.5,
)

WORDS = st.lists(
    st.tuples(
        st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=6),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def utterance(
    *words: EventWord, text: str = "", start: float = 0.0, **more: str
) -> StoredUtterance:
    """Return one of a second."""
    text = text or " ".join(word.text for word in words)
    return StoredUtterance(text=text, words=words, start=start, end=start + 1, **more)


@given(WORDS)
def test_the_text_is_the_one_that_was_kept(words: list[tuple[str, bool]]) -> None:
    """With spaces where there were some, whatever its words say of that."""
    text = "".join(
        f" {word}" if spaced and number else word for number, (word, spaced) in enumerate(words)
    )
    kept = utterance(*(EventWord(word) for word, _ in words), text=text)

    (found,) = transcript_of(StoredTranscript(HEAD, (kept,))).utterances

    assert found.text == text


def test_all_that_is_known_is_told() -> None:
    """Of the recording, and of who spoke; ordered by start, without those who said nothing."""
    late = utterance(EventWord("Yes", 5.0, 5.5), start=5.0, speaker="Bob", language="de")
    early = utterance(EventWord("No", 1.0, 1.5), start=1.0, speaker="Ann")

    found = transcript_of(StoredTranscript(HEAD, (late, early, utterance(text="-"))))

    assert [(each.speaker, each.text, each.language) for each in found.utterances] == [
        ("Ann", "No", "en"),
        ("Bob", "Yes", "de"),
    ]
    assert found.speakers == ("Ann", "Bob")
    assert (found.source, found.language, found.model) == ("Monday", "en", "moshi")
    assert (found.duration, found.language_probability) == (9.0, 0.5)


def test_while_it_goes_on_it_is_as_long_as_its_words() -> None:
    """Nobody knows the length of what has no end yet."""
    head = TranscriptHead(id="b" * 32, kind=Kind.CALL, owner="")

    found = transcript_of(StoredTranscript(head, (utterance(EventWord("So"), start=4.0),)))

    assert found.duration == 5.0
    assert (found.utterances[0].start, found.utterances[0].end) == (4.0, 5.0)


@pytest.mark.parametrize("form", FORMATS)
def test_words_without_times_can_be_given_out(form: str) -> None:
    """Of engines that tell none."""
    kept = tuple(
        utterance(*map(EventWord, text.split()), start=start)
        for start, text in enumerate(("And so my fellow Americans,", "ask not"))
    )

    text = write(transcript_of(StoredTranscript(HEAD, kept)), form)

    assert "fellow" in text
    if form in {"srt", "vtt"}:
        cues = pysubs2.SSAFile.from_string(text, format_=form)
        assert [(cue.start, cue.end) for cue in cues] == [(0, 1000), (1000, 2000)]
