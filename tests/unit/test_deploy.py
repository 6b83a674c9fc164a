"""What operators read and run agrees with the program."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types
from pydantic import ByteSize, SecretStr

from livebot.settings import Settings, load_settings
from livebot.settings.backend_fields import BackendFields

ROOT = Path(__file__).parents[2]
FIELDS = {str(field.validation_alias): field for field in Settings.model_fields.values()}


def shown(default: Any) -> str:
    """Return a default as the table shows it."""
    match default:
        case None | "" | ():
            return ""
        case bool():
            return f"`{str(default).lower()}`"
        case SecretStr():
            text = default.get_secret_value()
            return f"`{text}`" if text else ""
        case ByteSize():
            return f"`{default.human_readable()}`" if default else "`0`"
        case float():
            return f"`{default:g}`"
        case _:
            return f"`{default}`"


def test_document_lists_every_setting_once() -> None:
    """Variable, default and meaning are those of the program. Spec: configuration/Sources."""
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.+) \|$", text, re.MULTILINE)

    expected = [(name, shown(f.default), f.description) for name, f in FIELDS.items()]
    assert sorted((name, default.strip(), meaning) for name, default, meaning in rows) == sorted(
        expected
    )


def test_compose_names_every_setting() -> None:
    """Nobody has to look for a variable; none is misspelt."""
    found = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

    environment = found["services"]["livebot"]["environment"]

    assert set(environment) == set(FIELDS)
    for name, value in environment.items():
        assert name in {"HOST", "PORT"} or value.startswith("${" + name + ":")


def test_example_names_settings_only() -> None:
    """What is copied to `.env` means something."""
    text = (ROOT / "deploy" / "example.env").read_text(encoding="utf-8")

    assert set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)) <= set(FIELDS)


@pytest.mark.parametrize("wanted", [r"^USER 10001:10001$", r"^HEALTHCHECK ", r"--require-hashes"])
def test_image_is_safe_to_run(wanted: str) -> None:
    """No root, a health check, and nothing without its hash."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert re.search(wanted, text, re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        assert "pip install" not in line or "--require-hashes" in line or "/wheel/" in line


def test_health_check_command() -> None:
    """The image's health check is Python that can run."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    (code,) = re.findall(r'CMD \["python", "-c", "(.+)"\]', text)

    compile(code, "healthcheck", "exec")


def test_example_of_several_backends_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What operators copy is read and works. Spec: configuration/Several backends."""
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    (example,) = (
        part
        for part in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
        if "name: school\n" in part
    )
    # The keys are cut short there.
    (tmp_path / "bot.yaml").write_text(example.replace("...", "0123456789abcdef"))
    monkeypatch.setenv("LT_CONFIG", str(tmp_path / "bot.yaml"))
    monkeypatch.chdir(tmp_path)

    found = load_settings(for_call=True).per_backend()

    assert {name: (one.language, one.max_rooms) for name, one in found.items()} == {
        "school": ("fr", 5),
        "office": ("en", 50),
    }


def test_document_lists_what_backends_may_set() -> None:
    """The list is the program's. Spec: configuration/Several backends."""
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")

    (sentence,) = re.findall(r"The variables that may differ: (.*?)\.\n", text, re.DOTALL)

    fields = BackendFields.model_fields.values()
    assert re.findall("`([A-Z_]+)`", sentence) == [str(f.validation_alias) for f in fields]


def test_compose_lets_the_container_change_nothing() -> None:
    """It is no root, gains no rights, and can write to its `/tmp` only."""
    found = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))

    service = found["services"]["livebot"]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "user" not in service
    assert "privileged" not in service
