"""What we change in an offer before aiortc sees it.

We take audio only. aiortc would accept offered video (and start a decoder for it), and
fail altogether when it knows none of its codecs. So each video section is reduced to one
that every aiortc understands and that carries nothing: the answer declines it as inactive.
"""

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
    sections: list[list[str]] = [[]]
    for line in sdp.splitlines():
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    lines = [line for section in sections for line in _declined(section)]
    return "".join(f"{line}\r\n" for line in lines)


def _declined(section: list[str]) -> list[str]:
    if not section or not section[0].startswith("m=video "):
        return section
    # m=video <port> <profile> <payload types>
    media = section[0].split()[:4]
    kept = [line for line in section[1:] if not line.startswith(_DROPPED)]
    return [" ".join(media), *kept, f"a=rtpmap:{media[-1]} VP8/90000", "a=inactive"]
