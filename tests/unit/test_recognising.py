"""Words and speakers of one recording."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from livebot.errors import EngineError, RecordingError
from livebot.recognising import Recogniser
from livebot.stt.diarize.turns import Turn
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost


def make(tmp_path: Path, text: str) -> Path:
    """Return a recording for a fake host."""
    (tmp_path / "a.wav").write_text(text)
    return tmp_path / "a.wav"


def host() -> FakeHost:
    """Return a fake host."""
    return FakeHost(HostOptions(), lambda _: None)


async def test_words(tmp_path: Path) -> None:
    """The source is what the user called it."""
    told: list[tuple[float, float]] = []

    found = await Recogniser(host(), "de")(
        make(tmp_path, "say Ja\nsay so"), "talk", lambda *progress: told.append(progress)
    )

    assert (found.text, found.source, found.language) == ("Ja so", "talk", "de")
    assert found.speakers == ()
    assert (told[0], told[-1]) == ((1.0, 2.0), (1.0, 1.0))


async def test_words_and_speakers(tmp_path: Path) -> None:
    """The progress is that of the slower one."""
    told: list[tuple[float, float]] = []

    async def find_turns(_: Path, on_progress: Callable[[float], None]) -> list[Turn]:
        await asyncio.sleep(0.05)
        on_progress(0.5)
        return [Turn(0.0, 0.5, 0), Turn(0.5, 1.0, 1)]

    found = await Recogniser(host(), "en", find_turns)(
        make(tmp_path, "say Yes no"), "talk", lambda *progress: told.append(progress)
    )

    assert [(each.speaker, each.text) for each in found.utterances] == [
        ("SPEAKER_1", "Yes"),
        ("SPEAKER_2", "no"),
    ]
    assert (0.5, 1.0) in told
    assert all(heard in {0.0, 0.5} for heard, _ in told)


async def test_a_recording_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    """Whoever else listens is stopped."""
    stopped = asyncio.Event()

    async def find_turns(_: Path, on_progress: Callable[[float], None]) -> list[Turn]:
        on_progress(0.0)
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    with pytest.raises(RecordingError, match="damaged"):
        await Recogniser(host(), "en", find_turns)(
            make(tmp_path, "fail it is damaged"), "talk", lambda *_: None
        )
    assert stopped.is_set()


async def test_speakers_that_cannot_be_found_are_told(tmp_path: Path) -> None:
    """Words without speakers are not what was asked for."""

    async def find_turns(_: Path, __: Callable[[float], None]) -> list[Turn]:
        raise EngineError("no model for speakers")

    with pytest.raises(EngineError, match="no model for speakers"):
        await Recogniser(host(), "en", find_turns)(
            make(tmp_path, "say Yes"), "talk", lambda *_: None
        )
