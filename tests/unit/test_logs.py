"""Logs: one JSON object per line, no secrets, no speech."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from livebot import logs

SECRET_KEYS = st.sampled_from(
    [
        "token",
        "room_token",
        "Secret",
        "internal_secret",
        "key",
        "api_key",
        "Authorization",
        "AUTHORIZATION-APP-API",
        "Set-Cookie",
        "app_secret",
        "resumeid",
        "resume_id",
        "resumeId",
        "sdp",
        "text",
        "caption_text",
        "credential",
    ]
)


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Put the logging of the tests back."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was printed, line by line."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def check(*, secret: str) -> None:
    """Fail while a secret is in a variable."""
    raise ValueError("too short" if secret else "missing")


def test_line_says_what_when_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    """A line has time, level, message, component and what was bound. Spec: observability/Logs."""
    logs.configure("info")

    with structlog.contextvars.bound_contextvars(room="abcdef…", speaker="ghijkl…"):
        logs.get("rooms").info("room_joined", speakers=3)

    (line,) = lines(capsys)
    assert list(line)[:4] == ["timestamp", "level", "component", "message"]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "component": "rooms",
        "level": "info",
        "message": "room_joined",
        "room": "abcdef…",
        "speaker": "ghijkl…",
        "speakers": 3,
    }


def test_level(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below the level is not printed."""
    logs.configure("warning")

    logs.get("rooms").info("room_joined")
    logs.get("rooms").warning("room_lost")

    assert [line["message"] for line in lines(capsys)] == ["room_lost"]


def test_libraries_speak_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    """A library's warning is a line like ours; its chatter is none. Spec: observability/Logs."""
    logs.configure("debug")

    logging.getLogger("a.library").info("chatter")
    logging.getLogger("a.library").warning("trouble %d", 7)

    (line,) = lines(capsys)
    assert (line["component"], line["level"], line["message"]) == (
        "a.library",
        "warning",
        "trouble 7",
    )


def test_traceback_shows_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug's traceback names lines, not values. Spec: observability/Privacy."""
    logs.configure()

    try:
        check(secret=str(0x5EC12E7))
    except ValueError:
        logs.get("rooms").exception("failed")

    (line,) = lines(capsys)
    assert "ValueError: too short" in line["exception"]
    assert str(0x5EC12E7) not in line["exception"]


def test_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The other format hides the same."""
    logs.configure(log_format="console")

    logs.get("rooms").info("room_joined", token="hunter2")

    printed = capsys.readouterr().out
    assert "room_joined" in printed
    assert "hunter2" not in printed


@given(key=SECRET_KEYS, inside=st.lists(st.sampled_from(["dict", "list", "tuple"]), max_size=4))
def test_secrets_are_hidden_at_any_depth(key: str, inside: list[str]) -> None:
    """Whatever mapping or list holds it, a secret is not printed. Spec: observability/Privacy."""
    value: Any = {key: "hunter2"}
    for kind in inside:
        value = {"dict": {"inside": value}, "list": [value], "tuple": (1, value)}[kind]
    event = {"outside": value}

    assert "hunter2" not in str(logs.redact(None, "info", event))


@given(st.sampled_from(["room", "speaker", "keys", "tokens_left", "context", "texture"]))
def test_other_keys_are_shown(key: str) -> None:
    """Facts stay readable."""
    assert logs.redact(None, "info", {key: "fact"}) == {key: "fact"}
