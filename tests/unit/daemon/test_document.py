"""What authors of clients read is what the daemon does."""

import json
import re
from pathlib import Path

import pytest

from livebot.daemon import answers
from livebot.daemon.framing import MAX_LINE, MAX_PAYLOAD, Frame
from livebot.daemon.pipes import MAX_UNREAD
from livebot.daemon.requests import Recognise, Refusal, parse
from livebot.daemon.serve import DRAIN_S
from livebot.daemon.sources import MAX_FETCHED
from livebot.daemon.streams import MAX_STREAMS, WINDOW
from livebot.fetch.http import MAX_REDIRECTS

TEXT = (Path(__file__).parents[3] / "deploy" / "daemon.md").read_text(encoding="utf-8")


def lines(who: str) -> list[str]:
    """Return the lines of examples that the client, or the daemon, writes."""
    return "".join(re.findall(rf"```json {who}\n(.*?)```", TEXT, re.DOTALL)).splitlines()


@pytest.mark.parametrize("line", lines("client"))
def test_examples_of_requests_are_understood(line: str) -> None:
    """All of them."""
    assert not isinstance(parse(Frame(line.encode())), Refusal)


@pytest.mark.parametrize("line", lines("daemon"))
def test_examples_of_answers_are_as_the_daemon_writes_them(line: str) -> None:
    """To the space."""
    assert answers.encode(json.loads(line)) == line.encode() + b"\n"


def test_all_keys_of_a_request_are_described() -> None:
    """And no others."""
    described = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))

    assert described == set(Recognise.__struct_fields__)


@pytest.mark.parametrize(
    "figure",
    [
        f"{MAX_LINE:,} bytes",
        f"{MAX_PAYLOAD:,} at most",
        f'"window":{WINDOW},',
        f"{MAX_STREAMS} streams",
        f"{MAX_UNREAD >> 20} MB of answers",
        f"within {DRAIN_S:g} s",
        f"most {MAX_FETCHED}",
    ],
)
def test_limits_are_those_of_the_program(figure: str) -> None:
    """To the byte."""
    assert figure in " ".join(TEXT.split())
    assert MAX_REDIRECTS == 5
