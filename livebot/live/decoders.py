"""Which decoder a client's declaration means (pure)."""

from livebot.live.decoder import Decoder
from livebot.live.options import LiveOptions
from livebot.live.pcm import FORMATS, Pcm


def decoder_for(options: LiveOptions) -> Decoder:
    """Return a new one; the options were checked."""
    if options.encoding in FORMATS:
        return Pcm(options.encoding, options.rate_hz, options.channels)
    raise NotImplementedError(options.encoding)
