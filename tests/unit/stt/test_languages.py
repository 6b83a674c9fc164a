"""Language codes: what is asked for, and what is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.languages import AUTO, match

CODES = st.sampled_from(
    ["en", "EN", "en-GB", "en_gb", "pt", "pt-BR", "zh", "zh-Hant-TW", "", AUTO]
)


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        ("en", ["fr", "en"], "en"),
        ("EN", ["en", "pt-BR", "zh_TW"], "en"),
        ("zh_TW", ["en", "pt-BR", "zh_TW"], "zh_TW"),
        ("xx", ["en", "pt-BR", "zh_TW"], None),
        ("pt-BR", ["pt", "pt-BR"], "pt-BR"),
        ("pt-BR", ["pt", "en"], "pt"),
        ("pt_br", ["pt-BR"], "pt-BR"),
        ("PT-br", ["pt_BR"], "pt_BR"),
        ("zh-Hant-TW", ["zh", "zh-Hant"], "zh-Hant"),
        ("pt", ["pt-BR"], None),
        ("pt-PT", ["pt-BR"], None),
        ("por", ["pt"], None),
        ("auto", ["en"], None),
        ("auto", ["en", "auto"], "auto"),
        ("en", ["auto"], None),
        ("", ["en"], None),
        ("en", [], None),
    ],
)
def test_the_nearest_that_is_no_narrower(
    wanted: str, known: list[str], expected: str | None
) -> None:
    """As a table; case and kind of hyphen do not matter. Spec: room-control/Languages."""
    assert match(wanted, known) == expected


@given(CODES, st.lists(CODES))
def test_what_is_found_is_known_and_begins_what_was_wanted(wanted: str, known: list[str]) -> None:
    """And what is known exactly is always found."""
    found = match(wanted, known)

    assert found is None or found in known
    assert found is None or plain(wanted).startswith(plain(found))
    assert wanted not in known or (found is not None and plain(found) == plain(wanted))


def plain(code: str) -> str:
    """Return a code in one way of writing."""
    return code.lower().replace("_", "-")
