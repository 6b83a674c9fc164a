"""Nextcloud's TaskProcessing."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import TranslationError
from livebot.nextcloud.task_processing import (
    MOST_LANGUAGES,
    MOST_TEXT,
    State,
    Task,
    find,
    languages,
    schedule,
    task,
)


def types(origins: object, targets: object) -> object:
    """Return task types as Nextcloud lists them."""
    values = {"origin_language": origins, "target_language": targets}
    return {"types": {"core:text2text:translate": {"inputShapeEnumValues": values}}}


def named(*codes: str) -> list[dict[str, str]]:
    """Return languages as Nextcloud lists them."""
    return [{"name": code.upper(), "value": code} for code in codes]


def test_request() -> None:
    """What the server's controller takes."""
    assert schedule("Hello.", "en", "de", "live_transcription") == {
        "type": "core:text2text:translate",
        "appId": "live_transcription",
        "input": {"input": "Hello.", "origin_language": "en", "target_language": "de"},
    }


def test_languages() -> None:
    """Codes and names, of both sides."""
    found = languages(types(named("en", "detect_language"), named("de")))

    assert found is not None
    assert found.origins == {"en": "EN", "detect_language": "DETECT_LANGUAGE"}
    assert found.targets == {"de": "DE"}


@pytest.mark.parametrize(
    "data",
    [
        {"types": []},
        {"types": {}},
        {"types": {"core:text2text": {}}},
        {"types": {"core:text2text:translate": {"inputShapeEnumValues": []}}},
        types([], []),
        types(named("en"), []),
        None,
        [],
    ],
)
def test_no_languages(data: object) -> None:
    """Without a provider there are none; PHP writes an empty map as a list."""
    assert languages(data) is None


def test_languages_are_bounded() -> None:
    """A provider cannot fill the memory."""
    many = named(*(f"l{n}" for n in range(MOST_LANGUAGES * 2)))

    found = languages(types(many, many))

    assert found is not None
    assert len(found.origins) == len(found.targets) == MOST_LANGUAGES


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("STATUS_UNKNOWN", State.WAITS),
        ("STATUS_SCHEDULED", State.WAITS),
        ("STATUS_RUNNING", State.WAITS),
        ("STATUS_FAILED", State.FAILED),
        ("STATUS_CANCELLED", State.FAILED),
    ],
)
def test_task_that_has_no_text(status: str, state: State) -> None:
    """Its state is what counts."""
    assert task({"task": {"id": 7, "status": status, "output": None}}) == Task(7, state)


def test_task_that_is_done() -> None:
    """Its text is not shown by accident."""
    found = task({"task": {"id": 7, "status": "STATUS_SUCCESSFUL", "output": {"output": "Hallo"}}})

    assert found == Task(7, State.DONE, "Hallo")
    assert "Hallo" not in repr(found)


@pytest.mark.parametrize(("length", "is_text"), [(MOST_TEXT, True), (MOST_TEXT + 1, False)])
def test_a_text_is_bounded(length: int, is_text: bool) -> None:
    """No provider fills readers' outboxes."""
    done = {"id": 7, "status": "STATUS_SUCCESSFUL", "output": {"output": "x" * length}}

    with contextlib.nullcontext() if is_text else pytest.raises(TranslationError):
        task({"task": done})


KEYS = [
    *("task", "id", "status", "output", "types", "core:text2text:translate"),
    *("inputShapeEnumValues", "origin_language", "target_language", "name", "value"),
]

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.sampled_from(["STATUS_SUCCESSFUL", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(VALUES)
def test_only_documented_faults(data: object) -> None:
    """Right keys with wrong values are understood, or a TranslationError."""
    languages(data)
    with contextlib.suppress(TranslationError):
        task(data)


@pytest.mark.parametrize(
    ("language", "known", "found"),
    [
        ("en", ["en", "de"], "en"),
        ("pt-BR", ["pt", "pt_BR"], "pt_BR"),
        ("pt-BR", ["PT"], "PT"),
        ("pt", ["pt_BR"], None),
        ("xx", [], None),
    ],
)
def test_language_as_the_provider_writes_it(
    language: str, known: list[str], found: str | None
) -> None:
    """Case and separator do not count; a region can be left out, but none is made up."""
    assert find(language, dict.fromkeys(known, "")) == found
