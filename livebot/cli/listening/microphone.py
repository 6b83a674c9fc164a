"""The microphone, by python-sounddevice and PortAudio where they are installed."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from livebot.errors import ConfigError, RecordingError

RATE_HZ: Final = 16_000

_KEPT: Final = 100
"""Blocks that wait for the engine, ten seconds; beyond, the oldest is dropped."""

_PIPE = (
    "pipe it instead: arecord -q -f S16_LE -r 16000 -c 1 | livebot listen, or on a Mac"
    " ffmpeg -f avfoundation -i :0 -f s16le -ac 1 -ar 16000 - | livebot listen"
)


def library() -> Any:
    """Return python-sounddevice.

    Raises:
        ConfigError: It, or PortAudio, is not installed.
    """
    try:
        import sounddevice
    except ImportError as exc:
        raise ConfigError(
            f"a microphone needs pip install 'livebot[microphone]'; or {_PIPE}"
        ) from exc
    except OSError as exc:
        raise ConfigError(
            f"a microphone needs PortAudio (apt-get install libportaudio2); or {_PIPE}"
        ) from exc
    return sounddevice


async def microphone_blocks(name: str | None) -> AsyncGenerator[bytes]:
    """Yield 16-bit mono samples at `RATE_HZ`, a tenth of a second at a time, without end.

    Args:
        name: Of the device, or a part of it; None for the usual one.

    Raises:
        ConfigError: There is no library for it.
        RecordingError: There is no such microphone, or it cannot be used.
    """
    devices = library()
    loop = asyncio.get_running_loop()
    blocks: asyncio.Queue[bytes] = asyncio.Queue(_KEPT)

    def keep(block: bytes) -> None:
        if blocks.full():
            blocks.get_nowait()
        blocks.put_nowait(block)

    def heard(data: Any, *_: object) -> None:
        loop.call_soon_threadsafe(keep, bytes(data))

    try:
        stream = devices.RawInputStream(
            samplerate=RATE_HZ,
            blocksize=RATE_HZ // 10,
            channels=1,
            dtype="int16",
            device=name,
            callback=heard,
        )
        with stream:
            while True:
                yield await blocks.get()
    except (devices.PortAudioError, ValueError) as exc:
        raise RecordingError(f"the microphone cannot be used ({exc}): {_PIPE}") from exc
