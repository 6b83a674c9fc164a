"""Text in XML."""

import html
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from livebot.transcripts.xml_text import cut, escaped, share

TEXTS = st.one_of(st.text(), st.text("&<é字 \x00\ud800\ufffe]>"))


@given(TEXTS, st.integers(4, 40))
def test_a_cut_text_fits_and_begins_as_the_whole(text: str, most: int) -> None:
    """No mark of it is cut in two."""
    found = cut(text, most)
    assert len(found.encode()) <= most
    whole = html.unescape(escaped(text))
    shown = html.unescape(found)
    assert shown == whole or (shown.endswith("…") and whole.startswith(shown[:-1].rstrip()))


@given(TEXTS)
def test_any_text_may_be_in_xml(text: str) -> None:
    """And is read as it was, but for what XML cannot have."""
    read = ET.fromstring(f"<a>{escaped(text)}</a>").text or ""  # noqa: S314 - ours
    assert read == html.unescape(escaped(text))


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(0, 1000))
def test_all_that_are_cut_to_their_share_fit(sizes: list[int], most: int) -> None:
    """And where all fit, none is cut."""
    each = share(sizes, most)
    assert sum(min(size, each) for size in sizes) <= most
    assert sum(sizes) > most or each >= max(sizes)
