"""Frames survive any cutting; garbage is refused with one error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.stt.host import framing
from livebot.stt.host.framing import MAX_LINE, MAX_PAYLOAD, Decoder, Frame, FramingError

VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Return a frame with any keys."""
    payload = draw(st.binary(max_size=300))
    line = draw(st.dictionaries(st.text(max_size=8).filter(lambda k: k != "bytes"), VALUES))
    if payload or draw(st.booleans()):
        line["bytes"] = len(payload)
    return Frame(json.dumps(line).encode(), payload)


@given(st.lists(frames(), max_size=6), st.lists(st.integers(0, 3000), max_size=20))
def test_any_cutting_gives_the_frames_back(sent: list[Frame], cuts: list[int]) -> None:
    """decode(encode(x)) == x, in whatever pieces the bytes arrive."""
    data = b"".join(framing.encode(frame) for frame in sent)
    ends = [*sorted(min(cut, len(data)) for cut in cuts), len(data)]
    decoder, got, before = Decoder(), [], 0
    for end in ends:
        got += decoder.feed(data[before:end])
        before = end

    assert got == sent


GARBAGE = st.binary(max_size=300) | st.dictionaries(
    st.sampled_from(["bytes", "type", "stream"]),
    VALUES | st.lists(VALUES, max_size=2) | st.floats(),
).map(lambda line: json.dumps(line).encode() + b"\n")


@given(st.lists(GARBAGE, max_size=5))
def test_garbage_is_refused_with_the_one_error(pieces: list[bytes]) -> None:
    """Nothing else leaves the decoder."""
    decoder = Decoder()
    try:
        for piece in pieces:
            decoder.feed(piece)
    except FramingError:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"x" * (MAX_LINE + 1),
        b'{"bytes":%d}\n' % (MAX_PAYLOAD + 1),
        b'{"bytes":-1}\n',
        b"[]\n",
        b"\xff\xfe\n",
    ],
    ids=["endless-line", "large-payload", "negative-payload", "no-object", "no-text"],
)
def test_limits_hold(data: bytes) -> None:
    """What is too large or no frame is refused at once, before more of it is kept."""
    with pytest.raises(FramingError):
        Decoder().feed(data)


@pytest.mark.parametrize(
    "frame",
    [Frame(b"{}\n"), Frame(b"{}", b"abc"), Frame(b'{"bytes":2}', b"abc")],
    ids=["two-lines", "uncounted", "miscounted"],
)
def test_what_the_other_end_would_refuse_is_not_sent(frame: Frame) -> None:
    """A mistake shows where it is made."""
    with pytest.raises(FramingError):
        framing.encode(frame)
