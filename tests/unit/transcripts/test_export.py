"""The table of forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.transcripts.export import FORMATS, write
from livebot.transcripts.model import Transcript
from tests.support.transcripts import some, transcripts


@some
@given(transcripts(), st.sampled_from(sorted(FORMATS)), st.booleans())
def test_every_form_ends_with_a_line_break(said: Transcript, form: str, words: bool) -> None:
    """As text files do, and has no control character. Spec: transcripts/Formats."""
    text = write(said, form, words=words)
    assert not text or text.endswith("\n")
    assert not text.endswith("\n\n")
    if form != "json":
        assert not {c for c in text if c < " "} - {"\n", "\t"}


def test_an_unknown_form_is_a_bug() -> None:
    """Who asks has checked it."""
    with pytest.raises(KeyError):
        write(Transcript((), 0.0), "doc")
