"""Tests of `livebot.media.sdp`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import MediaError
from livebot.media.sdp import bundle_is_broken, is_unsigned, with_opus_only, without_video
from tests.support.recordings import RECORDINGS, load


def _offers() -> list[str]:
    return [
        line.message["message"]["data"]["payload"]["sdp"]
        for name in RECORDINGS
        for line in load(name)
        if line.direction == "<"
        and isinstance(line.message, dict)
        and line.message.get("message", {}).get("data", {}).get("type") == "offer"
    ]


@pytest.mark.parametrize("offer", sorted(set(_offers())))
def test_recorded_offers_keep_their_audio(offer: str) -> None:
    """Of a real media server's offer only video changes."""
    changed = without_video(offer)

    audio = [part for part in offer.split("m=") if part.startswith("audio")]
    assert audio
    assert [part for part in changed.split("m=") if part.startswith("audio")] == audio
    assert offer.count("\nm=") == changed.count("\nm=")


def test_video_is_inactive_with_one_known_codec() -> None:
    """Its transport and its name stay, so that the bundle still holds."""
    offer = (
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 98 99\r\na=mid:1\r\na=sendonly\r\na=rtpmap:98 VP9/90000\r\n"
        "a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\na=ice-ufrag:x\r\na=ssrc:1 cname:y\r\n"
    )

    assert without_video(offer) == (
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:1\r\na=ice-ufrag:x\r\n"
        "a=rtpmap:98 VP8/90000\r\na=inactive\r\n"
    )


@pytest.mark.parametrize("offer", sorted(set(_offers())))
def test_recorded_offers_have_sound_bundles(offer: str) -> None:
    """What a real media server sends is never refused for its bundle."""
    assert not bundle_is_broken(offer)


@pytest.mark.parametrize(
    ("group", "broken"),
    [("BUNDLE 0 1", False), ("BUNDLE", False), ("LS x", False), ("BUNDLE 1 0", True)]
    + [(group, True) for group in ("BUNDLE x 0", " BUNDLE x 0", "BUNDLE 0x 0")],
)
def test_a_bundle_needs_its_first_section(group: str, broken: bool) -> None:
    """Without it aiortc ends up with sections that have no transport."""
    offer = (
        f"v=0\r\na=group:{group}\r\nm=audio 9 P 111\r\na=mid:0\r\nm=application 9 P x\r\na=mid:1"
    )

    assert bundle_is_broken(offer) is broken


@pytest.mark.parametrize("offer", sorted(set(_offers())))
def test_recorded_offers_are_signed(offer: str) -> None:
    """And are not any more without that one line."""
    lines = [line for line in offer.splitlines() if not line.startswith("a=fingerprint:")]

    assert not is_unsigned(offer)
    assert is_unsigned("\r\n".join(lines))


def test_one_fingerprint_may_be_for_all() -> None:
    """It may stand before the media, and what carries no audio needs none."""
    media = "m=audio 9 P 111\r\na=mid:0\r\nm=application 9 P x\r\na=mid:1"

    assert not is_unsigned(f"v=0\r\na=fingerprint:sha-256 00\r\n{media}")
    assert is_unsigned(f"v=0\r\n{media}\r\na=fingerprint:sha-256 00")


@given(st.text())
def test_any_text_passes(text: str) -> None:
    """Nonsense is the parser's to complain about; twice is as good as once."""
    once = without_video(text)

    assert without_video(once) == once


@pytest.mark.parametrize("offer", sorted(set(_offers())))
def test_recorded_offers_are_in_opus(offer: str) -> None:
    """What a real media server sends stays as it is."""
    assert with_opus_only(offer).splitlines() == offer.splitlines()


def test_other_codecs_for_audio_are_taken_out() -> None:
    """Else the media server might choose one of them; other sections are not looked at."""
    video = "m=video 9 UDP/TLS/RTP/SAVPF 8\r\na=rtpmap:8 VP8/90000\r\n"
    offer = (
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 63 111 8 11\r\na=mid:0\r\na=rtpmap:63 red/48000/2\r\n"
        "a=fmtp:63 111/111\r\na=rtpmap:111 OPUS/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
        "a=rtpmap:11 L16/44100\r\n"
    )

    assert (
        with_opus_only(offer + video)
        == (
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
            "a=rtpmap:111 OPUS/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
        )
        + video
    )


@pytest.mark.parametrize("codec", ["PCMU/8000", "opus/16000", "multiopus/48000/6"])
def test_audio_that_is_not_opus_is_said_so(codec: str) -> None:
    """The text says which codec would be understood."""
    offer = f"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 {codec}\r\n"

    with pytest.raises(MediaError, match="Opus"):
        with_opus_only(offer)
