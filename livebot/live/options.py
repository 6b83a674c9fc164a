"""What a client declares of the audio it sends, and what it wants (pure)."""

from msgspec import Struct

ENCODINGS = ("auto", "pcm_s16le", "pcm_f32le", "mulaw", "alaw", "opus", "webm", "ogg", "wav")
"""`opus`: one packet per message. `auto`: a container that says what it is, as `MediaRecorder`
makes them."""

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MOST_CHANNELS = 8


class LiveOptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a live session is to be.

    Attributes:
        encoding: One of `ENCODINGS`.
        rate_hz: Of raw audio: samples per second and channel.
        channels: Of raw audio: interleaved, mixed to one.
        language: A code, or `auto`; empty for the service's own.
        interim: Whether interim events are wanted.
        store: Whether a transcript is to be kept.
        title: Of the transcript.
        speaker: The speaker's name; may be empty.
    """

    encoding: str = "auto"
    rate_hz: int = 48_000
    channels: int = 1
    language: str = ""
    interim: bool = True
    store: bool = False
    title: str = ""
    speaker: str = ""
