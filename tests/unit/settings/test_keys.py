"""Keys of the HTTP API, and the quotas that they may have of their own."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import ConfigError
from livebot.settings import load_settings
from livebot.settings.keys import parse_keys
from livebot.settings.problems import SettingError

KEY = "0123456789abcdef"

PLAIN = st.text("abcXYZ0189._-:/ ", max_size=30)
NAMES = st.text("abcXYZ0189._-", min_size=1, max_size=64)
LIMITS = st.none() | st.integers(0, 1_000_000)
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES, "key": PLAIN.map(lambda text: f"k{text}{KEY}k")},
        optional={"requests_per_minute": LIMITS, "max_rooms": LIMITS, "max_speakers": LIMITS},
    ),
    max_size=5,
    unique_by=(lambda entry: entry["name"], lambda entry: entry["key"]),
)
GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["name", "key", "max_rooms", "colour"]), inner)
    ),
)


@given(entries=ENTRIES, is_text=st.booleans())
def test_lists_are_read_as_they_are(entries: list[dict[str, Any]], *, is_text: bool) -> None:
    """From YAML or as JSON, every key keeps its name and its quotas."""
    found = parse_keys(json.dumps(entries) if is_text else entries)

    limits = ("requests_per_minute", "max_rooms", "max_speakers")
    assert [
        {"name": one.name, "key": one.revealed} | {name: getattr(one, name) for name in limits}
        for one in found
    ] == [dict.fromkeys(limits) | entry for entry in entries]


@given(ENTRIES)
def test_the_short_form_means_the_same(entries: list[dict[str, Any]]) -> None:
    """`name:key,...` is the list without quotas."""
    short = [{"name": entry["name"], "key": entry["key"]} for entry in entries]
    text = ",".join(f"{entry['name']}:{entry['key']}" for entry in short)

    assert parse_keys(text) == parse_keys(short)


@given(GARBAGE)
def test_anything_else_is_refused(value: object) -> None:
    """Whatever comes, keys that cannot be guessed or a `SettingError` come out."""
    try:
        found = parse_keys(value)
    except SettingError:
        return
    assert all(one.name and len(one.revealed) >= 16 for one in found)


@pytest.mark.parametrize(
    "keys",
    [
        "short:0123456789",
        KEY,
        f":{KEY}",
        f"a:{KEY},a:0123456789abcdeg",
        f"a:{KEY},b:{KEY}",
        f"nextcloud:{KEY}",
        f"anonymous:{KEY}",
        f"{'n' * 65}:{KEY}",
        f"a\nb:{KEY}",
        f"a:{KEY}\udc80",
        "[",
        "[1]",
        f'[{{"name": "a", "key": "{KEY} "}}]',
        f'[{{"name": "a", "key": "{KEY}", "max_rooms": -1}}]',
        f'[{{"name": "a", "key": "{KEY}", "max_rooms": true}}]',
        f'[{{"name": "a", "key": "{KEY}", "max_rooms": "3"}}]',
        f'[{{"name": "a", "key": "{KEY}", "colour": "red"}}]',
        json.dumps([{"name": f"n{n}", "key": f"{KEY}{n}"} for n in range(1001)]),
    ],
)
def test_bad_keys(keys: str) -> None:
    """Keys that can be guessed, cannot be shown, or do not say whose they are, are refused.

    Spec: configuration/Keys.
    """
    with pytest.raises(ConfigError, match=r"^LT_API_KEYS ") as found:
        load_settings(api_keys=keys)
    assert KEY not in str(found.value)


def test_several_keys() -> None:
    """White space and a comma at the end do no harm; a key may have colons."""
    found = load_settings(api_keys=f"a: {KEY}, b:0123:56789abcdef,").api_keys

    assert [(one.name, one.revealed) for one in found] == [
        ("a", KEY),
        ("b", "0123:56789abcdef"),
    ]
