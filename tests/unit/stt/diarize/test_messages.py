"""What the process and its parent say."""

import os

import pytest

from livebot.stt.diarize.messages import (
    Done,
    Failed,
    Find,
    Found,
    FromProcess,
    Heard,
    Unreadable,
    read_find,
    read_from_process,
    to_frame,
)
from livebot.stt.diarize.turns import Turn
from livebot.stt.host import framing
from livebot.stt.host.framing import Frame, FramingError


@pytest.mark.parametrize(
    "message",
    [Heard(2.5), Found([Turn(0.5, 1.0, 0)]), Done(), Unreadable("why"), Failed("why")],
)
def test_what_is_written_can_be_read(message: FromProcess) -> None:
    """The same comes out."""
    assert read_from_process(to_frame(message)) == message


def test_a_path_need_not_be_text() -> None:
    """File systems know bytes only."""
    path = b"/tmp/\xff\xfe.wav"

    question = read_find(to_frame(Find(path, 3)))

    assert question == Find(path, 3)
    assert os.fsencode(os.fsdecode(question.path)) == path


def test_as_many_turns_as_the_process_sends_fit_into_a_line() -> None:
    """However long the recording."""
    turns = [Turn(360_000.123 + i, 360_001.456 + i, 100) for i in range(500)]

    assert framing.encode(to_frame(Found(turns)))


@pytest.mark.parametrize("line", [b"{}", b'{"type":"find"}', b'{"type":"heard"}', b"1", b"\xff"])
def test_nonsense_is_refused(line: bytes) -> None:
    """By both ends."""
    with pytest.raises(FramingError):
        read_find(Frame(line))
    with pytest.raises(FramingError):
        read_from_process(Frame(line))
