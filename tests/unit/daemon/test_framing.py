"""Whatever anybody writes, what is a line of JSON is found, and nothing raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.daemon.framing import (
    CUT_OFF,
    MAX_LINE,
    MAX_PAYLOAD,
    NO_OBJECT,
    TOO_LONG,
    UNCOUNTED,
    Decoder,
    Frame,
    Garbage,
    Item,
)

VALUES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20)
KEYS = st.text(max_size=8).filter(lambda key: key not in ("type", "bytes"))


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    """Return a frame with any keys."""
    line: dict[str, object] = dict(draw(st.dictionaries(KEYS, VALUES, max_size=4)))
    if not draw(st.booleans()):
        line["type"] = draw(VALUES.filter(lambda value: value != "audio"))
        return Frame(json.dumps(line).encode())
    payload = draw(st.binary(max_size=300) | st.just(b"\n\n{}\n"))
    return Frame(json.dumps(line | {"type": "audio", "bytes": len(payload)}).encode(), payload)


NOISE = st.binary(min_size=1, max_size=60).map(lambda data: data.replace(b"\n", b"?"))


def decoded(data: bytes, cuts: list[int]) -> list[Item]:
    """Feed bytes in pieces; return what was found in them."""
    ends = [*sorted(min(cut, len(data)) for cut in cuts), len(data)]
    decoder, found, before = Decoder(), list[Item](), 0
    for end in ends:
        found += decoder.feed(data[before:end])
        before = end
    return [*found, *decoder.end()]


@given(
    st.lists(frames().map(lambda frame: b"%b\n%b" % (frame.line, frame.payload)) | NOISE),
    st.lists(st.integers(0, 3000), max_size=20),
)
def test_cutting_makes_no_difference(pieces: list[bytes], cuts: list[int]) -> None:
    """Of whatever bytes."""
    data = b"".join(pieces)

    assert decoded(data, cuts) == decoded(data, [])


@given(st.lists(frames() | NOISE, max_size=8))
def test_frames_are_found_among_garbage(sent: list[Frame | bytes]) -> None:
    """Each frame comes once, as it was, and each line of garbage is one complaint.

    Spec: daemon/Garbage.
    """
    data, expected = b"", list[Item]()
    for item in sent:
        if isinstance(item, Frame):
            data += b"%b\n%b" % (item.line, item.payload)
            expected.append(item)
        elif item.strip() and not _is_object(item):
            data += item + b"\n"
            expected.append(Garbage(NO_OBJECT))

    assert decoded(data, []) == expected


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@given(st.lists(NOISE | st.just(b"\n") | st.just(b'{"type":"audio","bytes":7}\n'), max_size=30))
def test_garbage_raises_nothing(pieces: list[bytes]) -> None:
    """And the decoder goes on: a good line after it is found, at the latest the second one."""
    decoder = Decoder()
    for piece in pieces:
        list(decoder.feed(piece))
    rescued = [*decoder.feed(b"\n" * 8 + b'{"id":1}\n' * 9)]

    assert rescued[-1:] == [Frame(b'{"id":1}')]


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"a":',
        b"{'a':1}",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"type":1e999}',
        b'{"a":NaN}',
        b"\x00",
    ],
    ids=["list", "null", "no-text", "cut", "quotes", "deep", "deeper", "huge", "nan", "nul"],
)
def test_what_is_no_object_is_one_complaint(line: bytes) -> None:
    """And the next line is heard."""
    assert decoded(line + b'\n{"id":1}\n', []) == [Garbage(NO_OBJECT), Frame(b'{"id":1}')]


def test_blank_lines_are_nothing() -> None:
    """Also those of Windows; and the last line needs no end."""
    assert decoded(b'\n\r\n  \n{"id":1}\r\n{"id":2}', []) == [
        Frame(b'{"id":1}\r'),
        Frame(b'{"id":2}'),
    ]


@pytest.mark.parametrize("step", [1000, 10**9])
def test_an_endless_line_is_one_complaint_and_is_not_kept(step: int) -> None:
    """As soon as it is too long; then all is dropped up to its end."""
    data = b"x" * (3 * MAX_LINE)
    decoder, found = Decoder(), list[Item]()
    for at in range(0, len(data), step):
        found += decoder.feed(data[at : at + step])
        assert len(decoder._buffer) <= MAX_LINE

    assert found == [Garbage(TOO_LONG)]
    assert list(decoder.feed(b'}\n{"id":1}\n')) == [Frame(b'{"id":1}')]


def test_a_line_may_be_so_long() -> None:
    """To the byte."""
    fits = b'{"a":"%b"}' % (b"x" * (MAX_LINE - 8))
    assert decoded(fits + b"\n", []) == [Frame(fits)]
    assert decoded(fits.replace(b"x", b"xx", 1) + b"\n", []) == [Garbage(TOO_LONG)]


@pytest.mark.parametrize("count", ["-1", str(MAX_PAYLOAD + 1), "true", '"4"', "4.0", "null", "[]"])
def test_uncounted_audio_is_skipped_with_one_complaint(count: str) -> None:
    """Up to the next line that is an object, whatever the audio looks like.

    Spec: daemon/Garbage.
    """
    sound = b"\x00\n\x01\n\nnoise\n" + b"\xff" * (2 * MAX_LINE) + b"\n"
    data = b'{"type":"audio","bytes":%b}\n%b{"id":1}\nno\n' % (count.encode(), sound)

    assert decoded(data, []) == [Garbage(UNCOUNTED), Frame(b'{"id":1}'), Garbage(NO_OBJECT)]


def test_the_end_in_the_middle_of_audio_is_told() -> None:
    """Nothing of it is taken for a line."""
    assert decoded(b'{"type":"audio","bytes":9}\n{"id":1}', []) == [Garbage(CUT_OFF)]


def test_only_audio_has_a_payload() -> None:
    """Another line's `bytes` counts nothing: what follows is a line.

    Spec: daemon/Garbage.
    """
    data = b'{"type":"open","bytes":9}\n{"id":1}\n'

    assert decoded(data, []) == [Frame(b'{"type":"open","bytes":9}'), Frame(b'{"id":1}')]
