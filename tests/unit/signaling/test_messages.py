"""Tests of `livebot.signaling.messages`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.ids import SessionId
from livebot.signaling import messages
from livebot.signaling.messages import MalformedError, Transcript


@given(st.text())
def test_any_text_is_a_message_or_malformed(text: str) -> None:
    """Nothing but the documented error leaves the decoder."""
    try:
        message = messages.decode(text)
    except MalformedError:
        return
    assert isinstance(message.type, str)


@pytest.mark.parametrize("depth", [100_000])
def test_deep_nesting_is_malformed(depth: int) -> None:
    """A bomb of brackets costs one error, not the process."""
    with pytest.raises(MalformedError):
        messages.decode('{"type":"x","event":' + "[" * depth)


@given(st.text(max_size=20), st.text(), st.booleans(), st.none() | st.floats(0, 1e6))
def test_a_transcript_survives_the_wire(
    speaker: str, text: str, final: bool, start: float | None
) -> None:
    """Whatever is said arrives letter by letter."""
    caption = Transcript(
        speaker=SessionId(speaker), text=text, language="en", final=final, start=start
    )

    decoded = json.loads(messages.transcript("1", SessionId("reader"), caption))

    data = decoded["message"]["data"]
    assert (data["message"], data["speakerSessionId"], data["final"], data["start"]) == (
        text,
        speaker,
        final,
        start,
    )


@pytest.mark.parametrize("value", [True, False, 0, 3, None])
def test_call_flags_come_as_numbers_and_as_booleans(value: object) -> None:
    """Old Talks send a boolean."""
    event = {"target": "participants", "type": "update"}
    update = {"users": [{"sessionId": "a", "inCall": value}]}

    decoded = messages.decode(json.dumps({"type": "event", "event": event | {"update": update}}))

    assert decoded.event is not None
    assert decoded.event.update is not None
    assert decoded.event.update.users is not None
    assert int(decoded.event.update.users[0].in_call or 0) == int(value or 0)  # type: ignore[call-overload]


def test_only_history_is_marked_so() -> None:
    """A caption that is said now has no such key: clients of before get what they know."""
    said = Transcript(SessionId("a"), "hello", "en", final=True)
    missed = Transcript(SessionId("a"), "hello", "en", final=True, history=True)

    data = [
        json.loads(messages.transcript("1", SessionId("b"), caption))["message"]["data"]
        for caption in (said, missed)
    ]
    assert "history" not in data[0]
    assert data[1] == data[0] | {"history": True}


@pytest.mark.parametrize("value", [1, True, [], {"a": 1}])
@pytest.mark.parametrize("where", ["join", "update"])
def test_a_session_of_talk_that_is_no_text_is_malformed(where: str, value: object) -> None:
    """Nothing is taken for somebody's page that is none."""
    entries: dict[str, object] = {
        "join": [{"sessionid": "a", "roomsessionid": value}],
        "update": {"users": [{"sessionId": "a", "nextcloudSessionId": value}]},
    }
    event = {"target": "room", "type": where, where: entries[where]}

    with pytest.raises(MalformedError):
        messages.decode(json.dumps({"type": "event", "event": event}))
