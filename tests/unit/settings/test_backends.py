"""Several Nextclouds in one process."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot.errors import ConfigError
from livebot.settings import ApiKey, Quota, Settings, load_settings
from livebot.settings.backend_fields import BackendFields

ALLOWED = [str(field.validation_alias) for field in BackendFields.model_fields.values()]
REFUSED = [
    str(field.validation_alias)
    for name, field in Settings.model_fields.items()
    if name not in BackendFields.model_fields
]
SECRET = "hunter2_hunter2_hunter2"  # no name of a backend: those are shown

# One good value each, other than the default.
OWN: dict[str, object] = {
    "LT_HPB_URL": "wss://hpb.school.example",
    "LT_INTERNAL_SECRET": SECRET,
    "NEXTCLOUD_URL": "https://cloud.school.example",
    "APP_SECRET": SECRET,
    "LT_ENGINE": "local,kyutai",
    "STT_STREAM_URL": "wss://stt.school.example",
    "MODAL_WORKSPACE": "school",
    "MODAL_KEY": SECRET,
    "MODAL_SECRET": SECRET,
    "LT_MOSHI_KEY": SECRET,
    "LT_STT_SESSION_SECONDS": 60,
    "LT_DEFAULT_LANGUAGE": "pt-BR",
    "LT_CAPTION_MODE": "replace",
    "LT_NOTICES": False,
    "LT_ICE_SERVERS": [{"urls": "turn:t", "username": "u", "credential": SECRET}],
    "LT_TURN_HOSTS": ["turn.school.example"],
    "LT_MAX_ROOMS": 3,
    "LT_MAX_SPEAKERS": 9,
    "LT_API_KEYS": f"school:{SECRET}",
    "LT_TRANSLATION": "off",
    "LT_TRANSCRIPTS": "on",
    "LT_AUDIO": "consent",
}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just(SECRET)
    | st.sampled_from([f"wss://u:{SECRET}@h", f"a:{SECRET}", f"turn:{SECRET} h"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["urls", "credential", "name", "key"]), inner)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(
    st.sampled_from([*ALLOWED, *REFUSED, "name", "lt_hpb_url", "LT_HBP_URL", ""]), VALUES
)
GARBAGE = VALUES | st.lists(OBJECTS | VALUES, max_size=3)


def problems(backends: object, **given: Any) -> list[str]:
    """Return what is wrong."""
    with pytest.raises(ConfigError) as caught:
        load_settings(backends=backends, **given)
    return list(caught.value.problems)


@given(value=GARBAGE, is_text=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_told_without_being_quoted(value: object, *, is_text: bool) -> None:
    """Whatever stands there, it works or is explained, and no value is shown.

    Spec: configuration/Secrets.
    """
    said: list[str] = []
    try:
        load_settings(for_call=True, backends=json.dumps(value) if is_text else value)
    except ConfigError as exc:
        said += exc.problems
    assert SECRET not in " ".join(said).lower()


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_texts_that_are_no_list(text: str) -> None:
    """A variable that is no JSON, or no list, is told in one sentence."""
    try:
        found = load_settings(backends=text)
    except ConfigError as exc:
        (said,) = exc.problems
        assert said.startswith("LT_BACKENDS ")
    else:
        assert found.backends == ()


@given(st.dictionaries(st.sampled_from(ALLOWED), st.none(), max_size=20).map(list))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_setting_is_the_backends_or_the_top_levels(own: list[str]) -> None:
    """What an object says counts, and all else is as at the top level, but for the keys.

    Spec: configuration/Several backends.
    """
    said = {key: OWN[key] for key in own}
    top = load_settings(max_rooms=7, modal_workspace="top", api_keys=f"top:{SECRET}")
    whole = load_settings(
        max_rooms=7,
        modal_workspace="top",
        api_keys=f"top:{SECRET}",
        backends=[{"name": "school"} | said, {"name": "plain"}],
    )

    found = whole.per_backend()

    assert list(found) == ["school", "plain"]
    for name, field in Settings.model_fields.items():
        expected = () if name == "api_keys" else getattr(top, name)
        assert getattr(found["plain"], name) == expected
        if field.validation_alias not in own:
            assert getattr(found["school"], name) == expected
        else:
            assert getattr(found["school"], name) != expected


def test_one_good_value_is_known_of_every_setting() -> None:
    """The law above is about all of them."""
    assert set(OWN) == set(ALLOWED)


def test_without_backends_there_is_one() -> None:
    """It is everything that is set. Spec: configuration/Several backends."""
    nothings: tuple[object, ...] = ((), "[]", [])
    for nothing in nothings:
        found = load_settings(backends=nothing, max_rooms=7)

        assert found.per_backend() == {"default": found}


def test_names_of_variables_in_any_case_and_empty_ones() -> None:
    """As in the file: small letters will do, and what is empty is not set."""
    backends = [{"name": "a", "lt_max_rooms": 3, "LT_MAX_SPEAKERS": "", "LT_ENGINE": None}]

    found = load_settings(backends=backends, max_speakers=5).per_backend()["a"]

    assert (found.max_rooms, found.max_speakers, found.engine) == (3, 5, "auto")


def test_an_empty_list_is_a_value() -> None:
    """A backend can have none of what the others have."""
    servers = [{"urls": "turn:t"}]

    found = load_settings(
        backends=[{"name": "a", "LT_ICE_SERVERS": []}], ice_servers=servers
    ).per_backend()

    assert found["a"].ice_servers == ()


def test_backends_in_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In YAML it is a list. Spec: configuration/Several backends."""
    (tmp_path / "bot.yaml").write_text(
        "LT_INTERNAL_SECRET: top\n"
        "LT_BACKENDS:\n"
        "  - name: school\n"
        "    LT_HPB_URL: wss://a.example\n"
        "  - name: office\n"
        "    lt_hpb_url: wss://b.example\n"
        "    LT_INTERNAL_SECRET: own\n"
    )
    monkeypatch.setenv("LT_CONFIG", "bot.yaml")

    found = load_settings(for_call=True).per_backend()

    assert {
        name: (one.hpb_url, one.internal_secret.get_secret_value()) for name, one in found.items()
    } == {"school": ("wss://a.example", "top"), "office": ("wss://b.example", "own")}


def test_all_problems_at_once_with_their_backend() -> None:
    """Each is told with its backend, its variable and the cure. Spec: configuration/Problems."""
    found = problems(
        [
            {"name": "school", "LT_HPB_URL": "ftp://h", "LT_MAX_ROOMS": 0, "LT_HBP_URL": "x"},
            {"name": "Office!", "LT_ENGINE": "?"},
            "third",
            {"name": "four", "PORT": 1},
            {"name": "four"},
        ],
        port=-1,
    )

    expected = [
        "PORT should be",
        "LT_BACKENDS: backend school: LT_HBP_URL is not a setting of a backend. Did you mean LT_",
        "LT_BACKENDS: backend school: LT_HPB_URL must begin with ws://",
        "LT_BACKENDS: backend school: LT_MAX_ROOMS should be",
        "LT_BACKENDS: backend 2 needs a name",
        "LT_BACKENDS: backend 2: LT_ENGINE",
        "LT_BACKENDS: backend 3 must be an object",
        "LT_BACKENDS: backend four: PORT is not a setting of a backend",
        "LT_BACKENDS: two backends have the name four",
    ]
    assert len(found) == len(expected)
    for start in expected:
        assert [text for text in found if text.startswith(start)], start


@pytest.mark.parametrize("variable", REFUSED)
def test_what_is_the_processs_is_refused_by_name(variable: str) -> None:
    """A port for one backend would be ignored otherwise."""
    (found,) = problems([{"name": "a", variable: "1"}])

    assert found.startswith(f"LT_BACKENDS: backend a: {variable} is not a setting of a backend")


@pytest.mark.parametrize("name", ["", "A", "a b", "a" * 33, "ä", "a\n", None, 3])
def test_names_that_cannot_be(name: object) -> None:
    """They are in URLs, logs and metrics."""
    (found,) = problems([{"name": name}])

    assert found.startswith("LT_BACKENDS: backend 1 needs a name")


def test_too_many() -> None:
    """Each one has engines and tasks."""
    (found,) = problems([{"name": f"n{number}"} for number in range(101)])

    assert "100 at most" in found


def test_a_key_that_may_be_a_secret_is_not_quoted() -> None:
    """A colon in the wrong place makes a key of a value. Spec: configuration/Secrets."""
    (found,) = problems([{"name": "a", f"LT_API_KEYS:school:{SECRET}": ""}])

    assert found.startswith("LT_BACKENDS: backend a: a key is not a setting of a backend.")
    assert SECRET not in found.lower()


def test_backends_that_are_not_known_lack_nothing() -> None:
    """Where the list itself does not work, nobody is told to set what stands in it."""
    (found,) = problems("nonsense", for_call=True, host="0.0.0.0")

    assert found.startswith("LT_BACKENDS is not JSON")


def test_what_each_backend_lacks() -> None:
    """What is missing is told for each of them. Spec: configuration/Requirements by purpose."""
    with pytest.raises(ConfigError) as caught:
        load_settings(
            for_call=True,
            internal_secret="s",
            backends=[{"name": "a"}, {"name": "b", "LT_HPB_URL": "wss://h", "LT_ENGINE": "moshi"}],
        )

    assert [text.partition(" is")[0] for text in caught.value.problems] == [
        "LT_BACKENDS: backend a: LT_HPB_URL",
        "LT_BACKENDS: backend b: STT_STREAM_URL",
    ]


def test_a_broken_value_is_not_missing_in_each_backend() -> None:
    """What does not work at the top level is told once."""
    found = problems(
        [{"name": "a"}, {"name": "b"}], for_call=True, hpb_url="x", internal_secret="s"
    )

    assert [text.split()[0] for text in found] == ["LT_HPB_URL"]


def test_backends_that_were_read_already() -> None:
    """They are taken as they are, as other settings are."""
    found = load_settings(backends=[{"name": "a"} | OWN]).backends

    assert load_settings(backends=found).backends == found


def test_secrets_have_no_repr() -> None:
    """Printing settings shows no backend's secrets. Spec: configuration/Secrets."""
    found = load_settings(backends=[{"name": "a"} | OWN])

    assert SECRET not in repr(found) + repr(found.per_backend())


def test_quotas_of_keys() -> None:
    """A key has its own, or what all have; a backend knows those of the top level too.

    Spec: configuration/Keys.
    """
    own = {"name": "own", "key": SECRET + "2", "max_speakers": 9}
    said: dict[str, Any] = {
        "requests_per_minute": 10,
        "key_rooms": 2,
        "key_speakers": 4,
        "api_keys": [{"name": "top", "key": SECRET, "max_rooms": 0}],
        "backends": [{"name": "a", "LT_API_KEYS": [own]}, {"name": "b"}],
    }
    whole = load_settings(**said)
    found = whole.per_backend()

    for one in (whole, found["a"], found["b"]):
        assert one.quota("top") == Quota(10, 0, 4)
        assert one.quota("nextcloud") == one.quota("") == one.quota("?") == Quota(10, 0, 0)
    assert whole.quota("own") == found["a"].quota("own") == Quota(10, 2, 9)
    assert found["b"].quota("own") == Quota(10, 0, 0), "no caller of this backend"
    assert [key.name for key in found["a"].api_keys] == ["own"]
    assert all(isinstance(key, ApiKey) for key in found["a"].api_keys)
