"""Bodies of answers."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.api import schemas
from livebot.ids import RoomToken
from livebot.rooms.status import Health, HealthStatus
from livebot.translator import TranslationLanguages
from tests.support.fake_rooms import FakeRoom, FakeRooms

STATUSES = st.sampled_from(HealthStatus)
NAMES = st.sampled_from(["a", "b", "c"])


def as_json(value: object) -> Any:
    """Return what goes over the wire, read back."""
    return msgspec.json.decode(msgspec.json.encode(value))


def test_languages_tell_how_they_are_written() -> None:
    """Talk joins and aligns by this. Spec: room-control/Languages."""
    found = schemas.languages({"en": "English", "zh-CN": "Chinese", "he": "Hebrew"})

    assert as_json(found) == {
        "en": {"name": "English", "metadata": {"separator": " ", "rtl": False}},
        "zh-CN": {"name": "Chinese", "metadata": {"separator": "", "rtl": False}},
        "he": {"name": "Hebrew", "metadata": {"separator": " ", "rtl": True}},
    }


def test_capabilities_without_translation() -> None:
    """Talk offers no translation where it finds none. Spec: talk-app/Capabilities."""
    found = as_json(schemas.capabilities("1.2.3", {"en": "English"}, None))

    english = {"name": "English", "metadata": {"separator": " ", "rtl": False}}
    assert found == {
        "live_transcription": {
            "version": "1.2.3",
            "features": ["live_transcription"],
            "live_transcription": {"supported_languages": {"en": english}},
        }
    }


def test_capabilities_with_translation() -> None:
    """Where there is one, with the languages, which Talk takes from here.

    Spec: talk-app/Capabilities.
    """
    both = TranslationLanguages({"en": "English"}, {"ar": "Arabic"})
    found = as_json(schemas.capabilities("1.2.3", {}, both))["live_transcription"]

    assert found["features"] == ["live_transcription", "live_translation"]
    assert found["live_translation"]["supported_translation_languages"] == {
        "origin_languages": {
            "en": {"name": "English", "metadata": {"separator": " ", "rtl": False}}
        },
        "target_languages": {
            "ar": {"name": "Arabic", "metadata": {"separator": " ", "rtl": True}}
        },
    }


def test_health_has_every_field() -> None:
    """The health check's body. Spec: observability/Health."""
    health = Health(HealthStatus.DEGRADED, ("a reason",), rooms=1, speakers=2)

    assert as_json(schemas.health({"default": health}, memory_mb=12.34, now=0.5)) == {
        "status": "degraded",
        "reasons": ["a reason"],
        "rooms": 1,
        "speakers": 2,
        "memory_mb": 12.3,
        "timestamp": "1970-01-01T00:00:00.500+00:00",
    }


def test_several_backends_are_told_apart() -> None:
    """Sums, and whose reason it is. Spec: observability/Health."""
    found = schemas.health(
        {
            "one": Health(HealthStatus.HEALTHY, (), rooms=1, speakers=2),
            "two": Health(HealthStatus.UNHEALTHY, ("lost",), rooms=3, speakers=4),
        },
        memory_mb=0,
        now=0,
    )

    assert (found.status, found.reasons) == (HealthStatus.DEGRADED, ["two: lost"])
    assert (found.rooms, found.speakers) == (4, 6)


@given(st.dictionaries(NAMES, STATUSES, min_size=1))
def test_only_what_fails_as_a_whole_is_unhealthy(found: dict[str, HealthStatus]) -> None:
    """Restarting would end the calls of those that are served. Spec: observability/Health."""
    together = schemas.health(
        {name: Health(status, (), 0, 0) for name, status in found.items()}, memory_mb=0, now=0
    ).status

    everywhere = set(found.values())
    for status in (HealthStatus.HEALTHY, HealthStatus.UNHEALTHY):
        assert (together is status) == (everywhere == {status})


@given(st.dictionaries(NAMES, st.lists(st.just("full"), max_size=2), min_size=1))
def test_ready_while_one_backend_takes_rooms(obstacles: dict[str, list[str]]) -> None:
    """What keeps the others from it is told. Spec: observability/Readiness."""
    found = schemas.readiness(obstacles, told=obstacles)

    assert found.ready == any(not its for its in obstacles.values())
    assert len(found.reasons) == sum(map(len, obstacles.values()))
    prefix = len(obstacles) > 1
    assert all((": " in reason) == prefix for reason in found.reasons)


@pytest.mark.parametrize("backend", [None, "one"])
def test_rooms_tell_their_backend_where_there_are_several(backend: str | None) -> None:
    """With one there is nothing to tell. Spec: room-control/List rooms."""
    rooms = FakeRooms()
    rooms.enabled[RoomToken("abcd")] = FakeRoom()
    (room,) = as_json(schemas.rooms([(backend, rooms.rooms())]))["rooms"]

    assert room.get("backend") == backend
