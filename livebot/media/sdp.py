"""What we change in an offer before aiortc sees it, and which ones it must not see.

We take audio only. aiortc would accept offered video (and start a decoder for it), and
fail altogether when it knows none of its codecs. So each video section is reduced to one
that every aiortc understands and that carries nothing: the answer declines it as inactive.

Of audio we decode Opus only. aiortc would accept other codecs beside it, and the media server
might send what we cannot hear.
"""

from livebot.errors import MediaError

_OPUS_HZ = 48_000
"""The rate of its timestamps, whatever it carries (RFC 7587)."""

_DROPPED = (
    "a=rtpmap:",
    "a=fmtp:",
    "a=rtcp-fb:",
    "a=extmap:",
    "a=ssrc",
    "a=rid:",
    "a=simulcast:",
    "a=msid:",
    "a=sendrecv",
    "a=sendonly",
    "a=recvonly",
    "a=inactive",
)


def without_video(sdp: str) -> str:
    """Return the offer with every video section inactive; the rest is untouched."""
    lines = [line for section in _sections(sdp) for line in _declined(section)]
    return "".join(f"{line}\r\n" for line in lines)


def with_opus_only(sdp: str) -> str:
    """Return the offer with no other codec for audio; the rest is untouched.

    Raises:
        MediaError: Some audio is offered in other codecs only.
    """
    lines = [line for section in _sections(sdp) for line in _in_opus(section)]
    return "".join(f"{line}\r\n" for line in lines)


def bundle_is_broken(sdp: str) -> bool:
    """Say whether the offer's bundle begins with a section that carries nothing or is not there.

    aiortc then puts the other sections on no transport at all, and can neither answer nor be
    closed: sockets, a thread and a task would stay.
    """
    head, *media = _sections(sdp)
    groups = [
        line.removeprefix("a=group:").split() for line in head if line.startswith("a=group:")
    ]
    mids = [_mid(section) for section in media if section[0].startswith(("m=audio ", "m=video "))]
    return any(group[1] not in mids for group in groups if group[:1] == ["BUNDLE"] and group[1:])


def is_unsigned(sdp: str) -> bool:
    """Say whether some audio is offered without a certificate's fingerprint.

    aiortc takes such an offer, and a task of its own fails then, which nobody hears of.
    """
    head, *media = _sections(sdp)
    if any(map(_is_fingerprint, head)):
        return False
    return any(
        section[0].startswith("m=audio ") and not any(map(_is_fingerprint, section))
        for section in media
    )


def _is_fingerprint(line: str) -> bool:
    return line.startswith("a=fingerprint:")


def _mid(section: list[str]) -> str:
    """Return a section's name; of several, aiortc takes the last."""
    names = [line.removeprefix("a=mid:") for line in section if line.startswith("a=mid:")]
    return names[-1] if names else ""


def _sections(sdp: str) -> list[list[str]]:
    """Return the lines of the session, then those of each medium."""
    sections: list[list[str]] = [[]]
    for line in sdp.splitlines():
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    return sections


def _declined(section: list[str]) -> list[str]:
    if not section or not section[0].startswith("m=video "):
        return section
    # m=video <port> <profile> <payload types>
    media = section[0].split()[:4]
    kept = [line for line in section[1:] if not line.startswith(_DROPPED)]
    return [" ".join(media), *kept, f"a=rtpmap:{media[-1]} VP8/90000", "a=inactive"]


def _in_opus(section: list[str]) -> list[str]:
    if not section or not section[0].startswith("m=audio "):
        return section
    # m=audio <port> <profile> <payload types>
    media, offered = section[0].split()[:3], section[0].split()[3:]
    kept = [number for number in offered if _is_opus(number, section)]
    if not kept:
        raise MediaError("the offered audio is not Opus, the only codec we understand")
    dropped = tuple(
        f"a={name}:{number} "
        for number in offered
        if number not in kept
        for name in ("rtpmap", "fmtp", "rtcp-fb")
    )
    rest = [line for line in section[1:] if not line.startswith(dropped)]
    return [" ".join([*media, *kept]), *rest]


def _is_opus(number: str, section: list[str]) -> bool:
    return any(
        line.lower().startswith(f"a=rtpmap:{number} opus/{_OPUS_HZ}") for line in section[1:]
    )
