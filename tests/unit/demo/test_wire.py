"""Requests of clients, read leniently."""

import pytest

from livebot.demo import wire
from livebot.signaling.messages import MalformedError


def test_unknown_keys_are_skipped() -> None:
    """A browser's hello has more in it than is needed."""
    text = '{"type":"hello","new":1,"hello":{"version":"1.0","more":[],"resumeid":"abc"}}'

    assert wire.decode(text).hello == wire.Hello(version="1.0", resumeid="abc")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"type":1}', '{"type":"room","room":[]}', "\ud800"]
)
def test_what_cannot_be_read_is_malformed(text: str) -> None:
    """Nothing else leaves the decoder."""
    with pytest.raises(MalformedError):
        wire.decode(text)
