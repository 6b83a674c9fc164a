"""Tests of `livebot.rooms.keeping`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import RequestError
from livebot.rooms.keeping import AS_SET, Keeping, Kept, check, decide
from livebot.settings import Settings, load_settings

said = st.builds(Keeping, st.none() | st.booleans(), st.none() | st.booleans())
transcripts = st.sampled_from(["off", "on"])
audio = st.sampled_from(["off", "consent"])


def settings(transcripts: str, audio: str) -> Settings:
    """Return settings that say so."""
    return load_settings(transcripts=transcripts, audio=audio)


@given(transcripts, audio, said)
def test_no_audio_without_a_transcript_the_setting_and_a_yes(
    transcripts: str, audio: str, said: Keeping
) -> None:
    """All three, or none. Spec: transcripts-of-calls/Audio."""
    kept = decide(settings(transcripts, audio), said)

    assert kept.audio == (kept.words and audio == "consent" and said.audio is True)
    assert kept.words == (transcripts == "on" if said.words is None else said.words)


@given(transcripts, audio, said, st.booleans())
def test_what_is_not_refused_is_kept(
    transcripts: str, audio: str, said: Keeping, can_keep: bool
) -> None:
    """Nobody is told yes and gets no. Spec: transcripts-of-calls/What is kept."""
    its = settings(transcripts, audio)
    try:
        check(its, said, can_keep=can_keep)
    except RequestError:
        assert said.words or said.audio
        return
    kept = decide(its, said)
    assert not said.words or (kept.words and can_keep)
    assert not said.audio or (kept.audio and can_keep)


@pytest.mark.parametrize(
    ("given_", "keeping", "said"),
    [
        (("off", "off"), Keeping(words=True, audio=True), "LT_AUDIO=consent"),
        (("off", "consent"), Keeping(audio=True), "store: true"),
        (("on", "consent"), Keeping(words=False, audio=True), "store: true"),
    ],
)
def test_errors_say_what_to_do(given_: tuple[str, str], keeping: Keeping, said: str) -> None:
    """Each names the setting or the field."""
    with pytest.raises(RequestError, match=said):
        check(settings(*given_), keeping, can_keep=True)
    with pytest.raises(RequestError, match="LT_DATA_DIR"):
        check(settings("on", "consent"), Keeping(words=True), can_keep=False)


@given(said, said)
def test_a_later_request_changes_what_it_speaks_of(first: Keeping, later: Keeping) -> None:
    """And nothing else."""
    now = first.then(later)

    assert now.words == (first.words if later.words is None else later.words)
    assert now.audio == (first.audio if later.audio is None else later.audio)
    assert first.then(AS_SET) == first


def test_nothing_is_kept_unless_somebody_says_so() -> None:
    """Neither words nor audio."""
    assert decide(load_settings(), AS_SET) == Kept(words=False, audio=False)
