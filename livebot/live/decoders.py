"""Which decoder a client's declaration means, or its first bytes do."""

from collections.abc import Callable, Iterator
from typing import Final

from livebot.audio.pcm import Samples
from livebot.errors import RequestError
from livebot.live import ebml, ogg, wav
from livebot.live.decoder import NOTHING, Decoder
from livebot.live.ogg import Ogg
from livebot.live.options import LiveOptions
from livebot.live.opus import OpusMessages
from livebot.live.pcm import FORMATS, Pcm
from livebot.live.wav import Wav
from livebot.live.webm import WebM

_CONTAINERS: Final[dict[str, Callable[[], Decoder]]] = {"webm": WebM, "ogg": Ogg, "wav": Wav}
_MAGIC: Final = {ebml.MAGIC: "webm", ogg.MAGIC: "ogg", wav.MAGIC: "wav"}
_SNIFFED: Final = 12
"""Bytes; after them it is known what it is."""


def decoder_for(options: LiveOptions) -> Decoder:
    """Return a new one; the options were checked.

    Raises:
        RequestError: Opus cannot be decoded here.
    """
    if options.encoding in FORMATS:
        return Pcm(options.encoding, options.rate_hz, options.channels)
    if options.encoding == "opus":
        return OpusMessages()
    return _CONTAINERS.get(options.encoding, Sniffed)()


class Sniffed:
    """A container that says what it is; a `Decoder`."""

    def __init__(self) -> None:
        self._head = b""
        self._found: Decoder | None = None

    def feed(self, data: bytes) -> Iterator[Samples]:
        """Take a message in; see `Decoder`."""
        if self._found is None:
            self._head += data
            if len(self._head) < _SNIFFED:
                return
            data, self._head = self._head, b""
            self._found = _container(data)
        yield from self._found.feed(data)

    def flush(self) -> Samples:
        """Return what is still inside."""
        return NOTHING if self._found is None else self._found.flush()


def _container(data: bytes) -> Decoder:
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return _CONTAINERS[name]()
    if data[4:8] == b"ftyp":
        raise RequestError(
            "MP4 is not understood: record audio/webm;codecs=opus, or send pcm_s16le"
        )
    raise RequestError("this is neither WebM, Ogg nor WAV: say what it is with encoding=")
