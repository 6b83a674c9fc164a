"""Where settings come from, and what is said when they do not work."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot.errors import ConfigError
from livebot.settings import Settings, load_settings

VARIABLES = [str(field.validation_alias) for field in Settings.model_fields.values()]
# What the system cannot hold in an environment variable is no case.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
)


def problems(**overrides: object) -> list[str]:
    """Return what is wrong."""
    with pytest.raises(ConfigError) as caught:
        load_settings(for_call=True, **overrides)
    return list(caught.value.problems)


def test_environment_beats_dotenv_beats_yaml(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The nearest source wins. Spec: configuration/Sources."""
    (tmp_path / "bot.yaml").write_text("PORT: 1\nLT_CHUNK_MS: 80\nlt_max_rooms: 7\n")
    (tmp_path / ".env").write_text("PORT=2\nLT_CHUNK_MS=100\n")
    monkeypatch.setenv("LT_CONFIG", "bot.yaml")
    monkeypatch.setenv("PORT", "3")

    found = load_settings()

    assert (found.port, found.chunk_ms, found.max_rooms) == (3, 100, 7)


def test_program_beats_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option of the command line wins over everything. Spec: configuration/Sources."""
    monkeypatch.setenv("PORT", "3")

    assert load_settings(port=4).port == 4


def test_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files pass unset variables as empty ones. Spec: configuration/Sources."""
    monkeypatch.setenv("LT_CHUNK_MS", "")

    assert load_settings().chunk_ms == 200


def test_attribute_names_are_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """LANGUAGE is the shell's, not ours."""
    monkeypatch.setenv("LANGUAGE", "de_DE:de")

    assert load_settings().language == "en"


def test_all_problems_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken and missing ones are told together, once each. Spec: configuration/Problems."""
    monkeypatch.setenv("LT_CHUNK_MS", "70")
    monkeypatch.setenv("LT_CAPTION_MODE", "sing")
    monkeypatch.setenv("HOST", "0.0.0.0")

    found = problems()

    named = ["LT_CHUNK_MS", "LT_CAPTION_MODE", "LT_HPB_URL", "LT_INTERNAL_SECRET", "LT_API_KEYS"]
    assert sorted(text.split()[0] for text in found) == sorted(named)


def test_broken_key_is_not_missing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that does not work is told once, not again as missing."""
    monkeypatch.setenv("LT_HPB_URL", "not a url")

    assert sum("LT_HPB_URL" in text.split() for text in problems(internal_secret="s")) == 1


@given(variable=st.sampled_from(VARIABLES), value=TEXT)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_works_or_is_explained(variable: str, value: str) -> None:
    """Whatever a variable says, it works or a sentence names the variable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(variable, value)
        said: list[str] = []
        try:
            load_settings()
        except ConfigError as exc:
            said += exc.problems
    assert all(text.startswith(variable) for text in said)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LT_API_KEYS", "caller:hunter2"),
        ("LT_ICE_SERVERS", '[{"urls": "turn:a b", "credential": "hunter2"}]'),
        ("LT_ICE_SERVERS", '[{"credential": "hunter2"'),
        ("LT_HPB_URL", "wss://me:hunter2@hpb.example.com"),
        ("LT_HPB_URL", "wss://hpb.example.com:hunter2"),
        ("LT_HPB_URL", "wss://[hunter2"),
    ],
)
def test_problems_do_not_quote(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    """What is wrong is said without the value. Spec: configuration/Secrets."""
    monkeypatch.setenv(variable, value)

    text = " ".join(problems())

    assert variable in text
    assert "hunter2" not in text


def test_secrets_have_no_repr() -> None:
    """Printing the settings shows no secret. Spec: configuration/Secrets."""
    found = load_settings(
        internal_secret="hunter2",
        modal_secret="hunter2",
        moshi_key="hunter2",
        api_keys="me:hunter2hunter2hunter2",
        ice_servers='[{"urls": "turn:t", "username": "u", "credential": "hunter2"}]',
    )

    assert "hunter2" not in repr(found) + str(found)


def test_unknown_key_of_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A slip in the file is found, and the right name told. Spec: configuration/Problems."""
    (tmp_path / "bot.yaml").write_text("LT_HBP_URL: wss://hpb.example.com\n")
    monkeypatch.setenv("LT_CONFIG", "bot.yaml")

    assert any("Did you mean LT_HPB_URL?" in text for text in problems())


@pytest.mark.parametrize("content", [None, "[", "- a\n- b\n", "a: hunter2: b\n", "hunter2"])
def test_unreadable_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    """A file that is missing or no YAML is told, without its content."""
    if content is not None:
        (tmp_path / "bot.yaml").write_text(content)
    monkeypatch.setenv("LT_CONFIG", "bot.yaml")

    (text,) = problems()

    assert text.startswith("LT_CONFIG")
    assert "hunter2" not in text


@pytest.mark.parametrize("content", ["", "# later\n", "# later\nPORT:\n"])
def test_empty_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    """A file with comments only says nothing."""
    (tmp_path / "bot.yaml").write_text(content)
    monkeypatch.setenv("LT_CONFIG", "bot.yaml")

    assert load_settings().port == 8080


def test_unreadable_dotenv(tmp_path: Path) -> None:
    """It is told with its cure, without a traceback and without its content."""
    (tmp_path / ".env").write_bytes(b"LT_INTERNAL_SECRET=hunter2\xff\n")

    with pytest.raises(ConfigError, match=r"\.env cannot be read") as found:
        load_settings()
    assert "hunter2" not in str(found.value)


def test_bottomless_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """YAML nested deeper than anybody can read is not YAML to us."""
    monkeypatch.setenv("LT_CONFIG", str(tmp_path / "bot.yaml"))
    (tmp_path / "bot.yaml").write_text("[" * 3000)

    with pytest.raises(ConfigError, match="not YAML"):
        load_settings()


@pytest.mark.parametrize("value", ["2024-99-99", "1" * 5000, "!!int x", "\x00"])
def test_values_that_yaml_itself_cannot_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    """A date that there is not ends in a sentence too."""
    monkeypatch.setenv("LT_CONFIG", str(tmp_path / "bot.yaml"))
    (tmp_path / "bot.yaml").write_text(f"LT_HPB_URL: {value}\n")

    with pytest.raises(ConfigError, match="LT_CONFIG names a file that is not YAML"):
        load_settings()
