"""Messages between parent and worker."""

from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from livebot.stt.host import messages
from livebot.stt.host.framing import Frame, FramingError
from livebot.stt.host.messages import FromWorker, ToWorker


def messages_of(union: Any) -> st.SearchStrategy[Any]:
    """Return messages of some kinds; times are numbers, for JSON knows nothing else."""
    return st.one_of(*(st.from_type(kind) for kind in union.__args__)).filter(
        lambda message: all(
            isfinite(value) for value in astuple(message) if isinstance(value, float)
        )
    )


TO_WORKER = messages_of(ToWorker)
FROM_WORKER = messages_of(FromWorker)


@given(TO_WORKER)
def test_the_worker_reads_what_the_parent_writes(message: ToWorker) -> None:
    """Every message comes back as it was."""
    assert messages.read_to_worker(messages.to_frame(message)) == message


@given(FROM_WORKER)
def test_the_parent_reads_what_the_worker_writes(message: FromWorker) -> None:
    """Every message comes back as it was."""
    assert messages.read_from_worker(messages.to_frame(message)) == message


@pytest.mark.parametrize("line", [b"{}", b'{"type":"open"}', b'{"type":"x"}', b'{"type":1}'])
def test_other_lines_are_refused(line: bytes) -> None:
    """With the error of framing."""
    with pytest.raises(FramingError):
        messages.read_to_worker(Frame(line))
    with pytest.raises(FramingError):
        messages.read_from_worker(Frame(line))
