"""The worker's input."""

import os

import pytest

from livebot.stt.host import framing
from livebot.stt.host.framing import Frame, FramingError
from livebot.stt.host.inbox import Inbox


def test_frames_come_in_order_and_end_with_the_input() -> None:
    """What was sent before the end is not lost."""
    reading, writing = os.pipe()
    sent = [Frame(b'{"n":%d}' % number) for number in range(5)]
    os.write(writing, b"".join(framing.encode(frame) for frame in sent))
    inbox = Inbox(reading)

    got: list[Frame] = []
    while len(got) < len(sent):
        got += inbox.take(wait=True) or []
    assert inbox.take(wait=False) == []
    os.close(writing)

    assert got == sent
    assert inbox.take(wait=True) is None
    os.close(reading)


def test_garbage_is_an_error() -> None:
    """The one of framing."""
    reading, writing = os.pipe()
    os.write(writing, b"garbage\n")
    os.close(writing)

    with pytest.raises(FramingError):
        Inbox(reading).take(wait=True)
    os.close(reading)


def test_what_is_answered_at_once_need_not_be_taken() -> None:
    """The thread that reads sees each frame first."""
    reading, writing = os.pipe()
    sent = [Frame(b'{"n":%d}' % number) for number in range(5)]
    inbox = Inbox(reading, lambda frame: frame == sent[2])
    os.write(writing, b"".join(framing.encode(frame) for frame in sent))

    got: list[Frame] = []
    while len(got) < len(sent) - 1:
        got += inbox.take(wait=True) or []
    assert got == [*sent[:2], *sent[3:]]
    os.close(writing)
    assert inbox.take(wait=True) is None
    os.close(reading)
