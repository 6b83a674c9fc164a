"""Tests of the pure parts of `livebot.live`: messages, presence, places, what is remembered."""

from contextlib import suppress

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.pcm import RATE_HZ
from livebot.errors import LivebotError, RequestError, StoreError
from livebot.feeds.events import Event, EventWord, Final, Gap, Interim, Numbered
from livebot.live import protocol
from livebot.live.arrivals import MOST, Arrivals
from livebot.live.cutter import Cutter
from livebot.live.options import ENCODINGS, LiveOptions
from livebot.live.presence import LIFE_S, QUIET_S, Due, Presence
from livebot.live.remembered import left, pack, unpack


@given(text=st.text(max_size=200))
def test_any_text_is_a_command_or_refused(text: str) -> None:
    """Nothing else happens."""
    with suppress(RequestError):
        protocol.command(text)


@given(value=st.recursive(st.none() | st.floats() | st.text(), st.lists, max_leaves=5))
@pytest.mark.parametrize("name", ["finalize", "keepalive", "close", "position", "ready"])
def test_any_fields_are_read_or_refused(name: str, value: object) -> None:
    """Right keys with wrong values, too."""
    text = msgspec.json.encode({"type": name, "seconds": value}).decode()
    try:
        found = protocol.command(text)
    except RequestError:
        return
    if isinstance(found, protocol.Position):
        assert np.isfinite(found.seconds)


@pytest.mark.parametrize("error", [StoreError("x"), LivebotError("secret")])
def test_errors_that_are_no_business_of_the_client(error: LivebotError) -> None:
    """They are told without their text, unless it is made for callers."""
    goodbye = protocol.refusal(error)
    assert goodbye.code in {1011, 4503}
    assert "secret" not in goodbye.message["message"]


@given(
    encoding=st.sampled_from(ENCODINGS),
    rate=st.integers(8_000, 192_000),
    interim=st.booleans(),
    title=st.text(st.characters(categories=["L", "N"]), max_size=200),
)
def test_options_are_remembered_as_they_are(
    encoding: str, rate: int, interim: bool, title: str
) -> None:
    """What was declared holds after a restart."""
    options = LiveOptions(encoding=encoding, rate_hz=rate, interim=interim, title=title)
    assert unpack(pack(options)) == options


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rate_hz": "x"}', '{"encoding": "mp3"}'])
def test_options_of_another_version(text: str) -> None:
    """Who comes back to them opens another session."""
    with pytest.raises(RequestError):
        unpack(text)


@given(sizes=st.lists(st.integers(0, 9000), max_size=20), origin=st.floats(0, 1e4))
def test_chunks_follow_each_other(sizes: list[int], origin: float) -> None:
    """Whatever the pieces are, each chunk begins where the one before ended."""
    cutter = Cutter(200, origin)
    chunks = [c for size in sizes for c in cutter.push(np.ones(size, np.float32))]
    chunks += cutter.flush()

    at = origin
    for chunk in chunks:
        assert chunk.start == pytest.approx(at, abs=1e-6)
        at = chunk.end
    assert cutter.position == pytest.approx(origin + sum(sizes) / RATE_HZ, abs=1e-6)


def test_how_long_audio_has_been_here() -> None:
    """By its place; what is long forgotten is not known."""
    arrivals = Arrivals()
    assert arrivals.age(1.0, 5.0) is None
    for number in range(1, MOST + 10):
        arrivals.note(number * 0.1, number * 0.1)
    assert arrivals.age(MOST * 0.1, 1000.0) == pytest.approx(1000 - MOST * 0.1, abs=0.11)
    assert arrivals.age(1e9, 1000.0) is not None
    assert arrivals.age(0.05, 1000.0) is None


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["audio", "sign", "left", "came", "completed"]), st.floats(0, 50)
        ),
        max_size=30,
    )
)
def test_a_deadline_is_due_when_it_has_come_and_not_before(
    steps: list[tuple[str, float]],
) -> None:
    """Who waits until it and asks gets something to do; who asks before gets nothing."""
    presence, now = Presence(idle_s=60, resume_s=100, born_at=0.0), 0.0
    for name, seconds in steps:
        now += seconds
        match name:
            case "audio":
                presence.audio(now)
            case "sign":
                presence.sign(now)
            case "left":
                presence.left(now)
            case "came":
                presence.came(now)
            case _:
                presence.completed()
        deadline = presence.next_deadline
        assert presence.due(deadline) is not None
        assert presence.due(np.nextafter(deadline, -np.inf)) is None


def test_what_is_due_when() -> None:
    """The words first, then the client, then the session."""
    presence = Presence(idle_s=60, resume_s=100, born_at=0.0)
    presence.audio(10.0)
    assert presence.due(10 + QUIET_S) is Due.COMPLETE
    presence.completed()
    assert presence.due(69.9) is None
    assert presence.due(70.0) is Due.LEFT
    presence.left(70.0)
    assert presence.due(169.9) is None
    assert presence.due(170.0) is Due.GIVEN_UP
    presence.came(100.0)
    presence.sign(LIFE_S - 1)
    assert presence.due(LIFE_S) is Due.OLD


def told(*events: Event) -> list[Numbered]:
    """Return events with numbers."""
    return [Numbered(number, 0.0, event) for number, event in enumerate(events, 1)]


def final(name: str, start: float, *, timed: bool = True) -> Final:
    """Return an utterance of two words."""
    times = [(start, start + 0.4), (start + 0.5, start + 0.9)] if timed else [(None, None)] * 2
    words = tuple(EventWord(text, *at) for text, at in zip(("so", "on"), times, strict=True))
    return Final(name, "so on", words, start=start, end=start + 0.9)


def test_where_a_session_was_left() -> None:
    """A little before the end of the last words, with those that will come again."""
    found = left(told(Interim("u1", "so"), final("u1", 10.0), Interim("u2", "and")))

    assert found.position == pytest.approx(10.3)
    assert [each.word.text for each in found.told] == ["so", "on"]
    assert [each.by for each in found.told] == [10.4, 10.9]
    assert [interim.utterance for interim in found.interims] == ["u2"]


def test_where_words_had_no_times() -> None:
    """Some seconds before: nobody knows when they were said."""
    found = left(told(final("u1", 10.0, timed=False)))

    assert found.position == pytest.approx(6.9)
    assert [each.by for each in found.told] == [10.9, 10.9]


def test_what_never_came_is_not_asked_for() -> None:
    """What an engine lost may still be heard; what a client lost may not."""
    lost = Gap("g1", "engine", 11.0, 50.0, 5.0)
    never = Gap("g2", "client", 11.0, 30.0, 19.0)
    open_one = Gap("g3", "engine", 40.0, None, 3.0)

    assert left(told(final("u1", 10.0), lost)).position == pytest.approx(10.3)
    found = left(told(final("u1", 10.0), never, open_one))
    assert found.position == 30.0
    assert found.gaps == (open_one,)


def test_nothing_was_said() -> None:
    """All is heard again."""
    assert left([]) == left(told(Interim("u1", "")))
    assert left([]).position == 0.0
