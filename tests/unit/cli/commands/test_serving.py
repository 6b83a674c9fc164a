"""`livebot daemon`, up to where it serves."""

import json
from pathlib import Path

import pytest

from livebot import cli


def test_settings_that_do_not_work_are_told_to_the_client(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """On stdout, as it waits for a line there, and with exit code 1."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LT_MAX_RESTARTS", "many")
    monkeypatch.setattr("sys.argv", ["livebot", "daemon"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    line = json.loads(capfd.readouterr().out)
    assert line["status"] == "error"
    assert "LT_MAX_RESTARTS" in str(line)
