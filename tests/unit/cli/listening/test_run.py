"""`livebot listen` from sound to words."""

import os
import signal
from collections.abc import AsyncGenerator

import pytest

from livebot.cli.listening import run as module
from livebot.cli.listening.raw import RawReader
from livebot.cli.listening.run import listen
from livebot.errors import ConfigError, RecordingError
from livebot.stt.host.options import HostOptions
from tests.support.fake_host import FakeHost


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[FakeHost]:
    """Return the hosts that are built."""
    built: list[FakeHost] = []

    def build(*given: object) -> FakeHost:
        built.append(FakeHost(*given))  # type: ignore[arg-type]  # as the true one
        return built[-1]

    monkeypatch.setattr(module, "build", build)
    return built


async def two_blocks() -> AsyncGenerator[bytes]:
    """Yield a second and a half."""
    yield bytes(32_000)
    yield bytes(16_001)


async def interrupted() -> AsyncGenerator[bytes]:
    """Yield a block; then somebody presses Ctrl-C while nothing comes."""
    yield bytes(32_000)
    os.kill(os.getpid(), signal.SIGINT)
    yield bytes(32_000)


def heard(blocks: AsyncGenerator[bytes], language: str = "auto", *, as_json: bool = False) -> int:
    """Listen to blocks of 16-bit samples at 16 kHz."""
    reader = RawReader("s16le", 16_000, 1)
    return listen(HostOptions(), blocks, reader, language=language, as_json=as_json)


def test_all_that_comes_is_heard(
    hosts: list[FakeHost], capsys: pytest.CaptureFixture[str]
) -> None:
    """To the last sample."""
    assert heard(two_blocks()) == 0
    assert hosts[0].stream.heard == 36_000
    assert hosts[0].asked == ["auto"]
    assert capsys.readouterr().out.startswith("word word")


def test_ctrl_c_ends_it_with_the_last_words(
    hosts: list[FakeHost], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is how one ends it, and so no failure. Spec: command-line/Live sound."""
    assert heard(interrupted(), as_json=True) == 0
    assert len(hosts) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == ['{"type":"pause"}', '{"type":"end"}']


def test_a_file_instead_of_samples(hosts: list[FakeHost]) -> None:
    """It is told, and nothing waits for words."""

    async def wav() -> AsyncGenerator[bytes]:
        yield b"RIFF" + bytes(100)

    with pytest.RaisesGroup(RecordingError):
        heard(wav())
    assert len(hosts) == 1


def test_a_language_that_the_model_does_not_know(hosts: list[FakeHost]) -> None:
    """Wrong use."""
    with pytest.raises(ConfigError, match="--language fr"):
        heard(two_blocks(), "fr")
    assert len(hosts) == 1
