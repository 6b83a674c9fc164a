"""No setting of the machine reaches these tests."""

from pathlib import Path

import pytest

from livebot.settings import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Clear every variable, and look for `.env` where there is none."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.delenv("LT_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
