"""The microphone."""

import builtins
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

import pytest

from livebot.cli.listening.microphone import library, microphone_blocks
from livebot.errors import ConfigError, RecordingError


class Devices(ModuleType):
    """Stands for python-sounddevice: a microphone that says two blocks at once."""

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self.asked: dict[str, Any] = {}
        self.fault = ""
        self.PortAudioError = RuntimeError
        self.RawInputStream = self._stream
        self.blocks = [b"one", b"two"]

    def _stream(self, callback: Callable[..., None], **asked: object) -> Self:
        self.asked = asked
        if self.fault:
            raise self.PortAudioError(self.fault)
        self._callback = callback
        return self

    def __enter__(self) -> Self:
        for block in self.blocks:
            self._callback(memoryview(block), 3, None, None)
        return self

    def __exit__(self, *exc: object) -> None:
        self.asked["closed"] = True


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> Devices:
    """Return the library in use."""
    found = Devices()
    monkeypatch.setitem(sys.modules, "sounddevice", found)
    return found


async def test_blocks_come_in_order(devices: Devices) -> None:
    """And it is closed in the end."""
    blocks = microphone_blocks("USB")
    assert [await anext(blocks), await anext(blocks)] == [b"one", b"two"]
    await blocks.aclose()
    assert devices.asked["device"] == "USB"
    assert (devices.asked["samplerate"], devices.asked["channels"]) == (16_000, 1)
    assert devices.asked["closed"]


async def test_of_too_many_the_oldest_are_dropped(devices: Devices) -> None:
    """Nobody wants to read what was said ten seconds ago."""
    devices.blocks = [bytes([number]) for number in range(150)]
    blocks = microphone_blocks(None)
    assert await anext(blocks) == bytes([50])
    await blocks.aclose()


async def test_a_microphone_that_is_none(devices: Devices) -> None:
    """It is told, with another way. Spec: command-line/Live sound."""
    devices.fault = "no such device"
    with pytest.raises(RecordingError, match=r"no such device.*arecord"):
        await anext(microphone_blocks("x"))


@pytest.mark.parametrize(
    ("fault", "said"), [(ImportError("x"), r"livebot\[microphone\]"), (OSError("x"), "PortAudio")]
)
def test_without_the_library_one_is_told_how_to_pipe(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str
) -> None:
    """Also without the library of the system. Spec: command-line/Live sound."""
    true_import = builtins.__import__

    def no_import(name: str, *rest: Any) -> object:
        if name == "sounddevice":
            raise fault
        return true_import(name, *rest)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_import)
    with pytest.raises(ConfigError, match=rf"{said}.*arecord .* \| livebot listen"):
        library()
