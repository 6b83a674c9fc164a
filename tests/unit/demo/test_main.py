"""Tests of `livebot.demo.main`."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from livebot.demo.main import _settings


def test_the_rooms_of_a_service_beside_it_are_not_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Settings of a service that lie around do not have the demo take up that service's rooms."""
    monkeypatch.setenv("LT_STATE_DIR", str(tmp_path))

    settings = _settings(Mock(signaling_url="ws://127.0.0.1:1"), "secret")

    assert settings.state_dir is None
