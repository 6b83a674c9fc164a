"""Settings of models, workers and recordings, and their short names in the YAML file."""

from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot import doctor
from livebot.errors import ConfigError
from livebot.settings import Settings, load_settings
from livebot.settings.file import SHORT
from livebot.settings.host_fields import HostFields

MIB = 1 << 20
KEYS = st.sampled_from(sorted(SHORT))


def from_file(patch: pytest.MonkeyPatch, text: str) -> Settings:
    """Load the settings with this YAML file."""
    Path("bot.yaml").write_text(text, encoding="utf-8")
    patch.setenv("LT_CONFIG", "bot.yaml")
    return load_settings()


def problems(patch: pytest.MonkeyPatch, text: str) -> list[str]:
    """Return what is wrong with this YAML file."""
    with pytest.raises(ConfigError) as caught:
        from_file(patch, text)
    return list(caught.value.problems)


def test_defaults() -> None:
    """Nothing needs to be set; they are what deploy/README.md says."""
    found = load_settings()

    assert (found.model, found.device, found.compute_type) == ("", "auto", "auto")
    assert (found.startup_timeout, found.process_timeout, found.max_restarts) == (30, 300, 5)
    assert (found.memory_limit, found.cpu_limit, found.queue_limit) == (0, 0, 1000)
    assert (found.allowed_paths, found.fetch_hosts, found.offline) == ((), (), False)


def test_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ten keys of the program that the daemon takes the place of.

    Spec: configuration/Short names.
    """
    found = from_file(
        monkeypatch,
        "model: base.en\nlanguage: de\nstartup_timeout: 12.5\nprocess_timeout: 40\n"
        "max_restarts: 2\nrestart_delay: 1\nmemory_limit: 2GiB\ncpu_limit: 3\n"
        "temp_cleanup: false\ntemp_retention: 60\n",
    )

    assert (found.model, found.language) == ("base.en", "de")
    assert (found.startup_timeout, found.process_timeout) == (12.5, 40)
    assert (found.max_restarts, found.restart_delay) == (2, 1)
    assert (found.memory_limit, found.cpu_limit) == (2 << 30, 3)
    assert (found.temp_cleanup, found.temp_retention) == (False, 60)


@pytest.mark.parametrize(
    "variable", [str(f.validation_alias) for f in HostFields.model_fields.values()]
)
def test_every_setting_has_a_short_name(variable: str) -> None:
    """It is the variable without its prefix. Spec: configuration/Short names."""
    assert SHORT[variable.removeprefix("LT_")] == variable


def test_short_names_are_nobody_elses() -> None:
    """No short name hides a variable, and each is a setting's."""
    variables = {str(field.validation_alias) for field in Settings.model_fields.values()}

    assert not variables & set(SHORT)
    assert set(SHORT.values()) <= variables


@given(KEYS, st.sampled_from([str.lower, str.upper, str.title]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_given_both_ways(tmp_path: Path, short: str, case: Any) -> None:
    """It is told which to remove, whatever they say. Spec: configuration/Short names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        found = problems(patch, f"{case(short)}: 1\n{SHORT[short]}: 1\n")

    assert f"{SHORT[short]} is in the file of LT_CONFIG twice" in found[0]
    assert f"{case(short)} and {SHORT[short]}" in found[0]


def test_what_is_empty_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key without a value is no second one."""
    assert from_file(monkeypatch, "model:\nLT_MODEL: tiny\n").model == "tiny"


def test_short_names_are_the_files_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment MODEL or LANGUAGE are other programs'."""
    monkeypatch.setenv("MODEL", "base")
    monkeypatch.setenv("DEVICE", "toaster")

    assert (load_settings().model, load_settings().device) == ("", "auto")


def test_environment_beats_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are the variables in another form. Spec: configuration/Short names."""
    monkeypatch.setenv("LT_MODEL", "small")

    assert from_file(monkeypatch, "model: tiny\n").model == "small"


def test_problem_of_a_short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the variable and what is allowed."""
    (found,) = problems(monkeypatch, "cpu_limit: many\n")

    assert found.startswith("LT_CPU_LIMIT ")
    assert found.endswith("Cores that each worker may use, up to 1024; 0 is all of them.")


def test_slip_in_a_short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be meant is told. Spec: configuration/Problems."""
    (found,) = problems(monkeypatch, "startup_timout: 5\n")

    assert "Did you mean LT_STARTUP_TIMEOUT?" in found


@given(st.integers(128, 4096), st.sampled_from([("MiB", MIB), ("mb", 10**6), (" mib ", MIB)]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sizes(number: int, unit: tuple[str, int]) -> None:
    """Numbers with a unit, small or capital letters; what is less than 128 MiB is refused."""
    text, wanted = f"{number}{unit[0]}", number * unit[1]
    if wanted < 128 * MIB:
        with pytest.raises(ConfigError, match="LT_MEMORY_LIMIT is too small"):
            load_settings(memory_limit=text)
    else:
        assert load_settings(memory_limit=text).memory_limit == wanted


@pytest.mark.parametrize("value", ["0", 0, "0 GiB"])
def test_no_limit(value: object) -> None:
    """0 is what suits the model, with or without a unit."""
    assert load_settings(memory_limit=value).memory_limit == 0


@pytest.mark.parametrize(
    "value", ["", "1 hunter2", "-1GiB", -1, "nan", True, None, [], "512", 1, "9" * 400, "2PiB"]
)
def test_what_is_no_size(value: object) -> None:
    """A unit that was forgotten would be 512 bytes. Spec: configuration/Secrets."""
    with pytest.raises(ConfigError, match="LT_MEMORY_LIMIT is ") as caught:
        load_settings(memory_limit=value)

    assert "hunter2" not in str(caught.value)


def test_folders() -> None:
    """A list, or one text with commas; they need not exist yet."""
    wanted = (Path("/srv/a"), Path("/srv/b c"))

    assert load_settings(allowed_paths="/srv/a, /srv/b c").allowed_paths == wanted
    assert load_settings(allowed_paths=["/srv/a", "/srv/b c"]).allowed_paths == wanted


@pytest.mark.parametrize("value", ["recordings", "~/talks", "/a,b", ["/a\0"], 3, ["/a"] * 101])
def test_what_is_no_absolute_folder(value: object) -> None:
    """It would depend on where the daemon was started. Spec: configuration/Absolute folders."""
    with pytest.raises(ConfigError, match="LT_ALLOWED_PATHS must be "):
        load_settings(allowed_paths=value)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", ""),
        ("https://m.example.com/hub/", "https://m.example.com/hub"),
        ("http://m", "http://m"),
    ],
)
def test_mirror(url: str, found: str) -> None:
    """Its paths are put behind it with a slash."""
    assert load_settings(model_source=url).model_source == found


@pytest.mark.parametrize("url", ["m.example.com", "file:///m", "https://me:hunter2@m", "https://"])
def test_what_is_no_mirror(url: str) -> None:
    """Nothing of it is quoted. Spec: configuration/Secrets."""
    with pytest.raises(ConfigError, match="LT_MODEL_SOURCE must ") as caught:
        load_settings(model_source=url)

    assert "hunter2" not in str(caught.value)


def test_doctor_shows_them() -> None:
    """Sizes and folders are readable there. Spec: configuration/Short names."""
    rows = dict(
        doctor.effective(load_settings(allowed_paths="/srv/a,/srv/b", memory_limit="1GiB"))
    )

    assert rows["LT_ALLOWED_PATHS"] == "/srv/a, /srv/b"
    assert rows["LT_MEMORY_LIMIT"] == "1.0GiB"
    assert rows["LT_MODEL_CACHE"] == "not set"


def test_example_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """What operators copy is read and works. Spec: configuration/Short names."""
    document = Path(__file__).parents[3] / "deploy" / "README.md"
    (example,) = (
        part.partition("```")[0]
        for part in document.read_text(encoding="utf-8").split("```yaml\n")
        if "startup_timeout" in part.partition("```")[0]
    )

    found = from_file(monkeypatch, example)

    assert (found.model, found.memory_limit) == ("base.en", 1 << 30)
    assert {key.upper() for key in yaml.safe_load(example)} <= set(SHORT)
