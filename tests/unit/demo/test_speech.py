"""The packaged recordings and who plays them."""

import asyncio

import pytest

from livebot.demo.speech import CALL_RATE_HZ, PARTICIPANTS, programme, recordings


async def test_recordings_are_there_and_as_long_as_they_say() -> None:
    """Each file can be read, at the call's rate, and is licensed to be copied."""
    found = await asyncio.to_thread(recordings)

    for recording in found.values():
        samples = await asyncio.to_thread(recording.samples)
        assert samples.size / CALL_RATE_HZ == pytest.approx(recording.duration_s, abs=0.01)
        assert recording.licence.startswith(("public domain", "CC-BY-4.0"))
        assert recording.text


def test_everybody_has_something_to_say_and_once_both_speak() -> None:
    """The programme uses both participants and has one overlap."""
    turns = programme()

    assert {turn.who for turn in turns} == set(PARTICIPANTS)
    assert sum(turn.after_s < 0 for turn in turns) == 1
