"""What a peer gives out: decoded audio, and an account of the packets it was made of."""

from dataclasses import dataclass

from livebot.audio.pcm import Samples

RATE_HZ = 48_000
"""The rate of the samples and of `pts`; also that of Opus' RTP timestamps, whatever it carries."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Decoded audio of one packet, or what stands for one or more that were lost.

    Attributes:
        samples: Mono, 48 kHz; usually 960 of them.
        pts: RTP time of the first sample, in samples; starts anywhere, and jumps over
            what was not sent (DTX) or lost. It is extended beyond the 32 bits of RTP and
            never wraps; another stream on the same peer makes it jump anywhere.
        concealed: Whether the packet was lost and this is a guess at what it held.
        lost: How many samples are missing before this frame because packets were lost and
            no guess was made; what was not sent (DTX) does not count.
    """

    samples: Samples
    pts: int
    concealed: bool = False
    lost: int = 0


@dataclass(slots=True)
class PacketCounts:
    """What became of a peer's audio packets, so far; the numbers only grow.

    Whoever has the peer looks from time to time and adds what is new to the metric
    `transcription_packets_total`.

    Each packet that arrives is one of `received`, `late` and `duplicate`. Each that was
    sent and is missing, or cannot be decoded, is one of `restored`, `concealed` and `lost`.
    """

    received: int = 0
    restored: int = 0
    concealed: int = 0
    lost: int = 0
    late: int = 0
    duplicate: int = 0
