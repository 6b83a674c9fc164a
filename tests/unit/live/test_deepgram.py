"""What clients of Deepgram's are told of what is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.feeds.events import Event, EventWord, Final, Gap, Interim, Notice, Numbered, Snapshot
from livebot.live.deepgram import MOST_GAPS, Dialogue, control
from livebot.live.deepgram_query import Listen
from livebot.live.options import LiveOptions
from tests.support.utterances import events

ASKED = Listen(LiveOptions(), interim=True, speech_events=True, utterance_ends=True)


def dialogue(wanted: Listen = ASKED) -> Dialogue:
    """Return one."""
    return Dialogue(wanted, "f" * 32, "2026-01-01T00:00:00Z")


def told(talk: Dialogue, said: list[Event]) -> list[dict[str, Any]]:
    """Return what is told of events."""
    numbered = [Numbered(number, 0.0, event) for number, event in enumerate(said, 1)]
    return [message for each in numbered for message in talk.heard(each, float(each.seq))]


def transcripts(messages: list[dict[str, Any]], *, is_final: bool) -> list[str]:
    """Return the texts of results."""
    return [
        each["channel"]["alternatives"][0]["transcript"]
        for each in messages
        if each["type"] == "Results" and each["is_final"] is is_final
    ]


@given(events())
def test_finals_are_told_once_and_in_order(said: list[Event]) -> None:
    """Spec: compatible-clients/Live in Deepgram's form."""
    messages = told(dialogue(), said)

    assert transcripts(messages, is_final=True) == [e.text for e in said if isinstance(e, Final)]
    assert transcripts(messages, is_final=False) == [
        e.text for e in said if isinstance(e, Interim)
    ]


@given(events())
def test_words_are_the_transcript(said: list[Event]) -> None:
    """Bare and punctuated words are as many; times never go back and lie in the result."""
    for result in told(dialogue(), said):
        if result["type"] != "Results" or not result["is_final"]:
            continue
        best = result["channel"]["alternatives"][0]
        assert " ".join(word["punctuated_word"] for word in best["words"]) == best["transcript"]
        times = [at for word in best["words"] for at in (word["start"], word["end"])]
        assert times == sorted(times)
        assert result["duration"] >= 0
        assert not times or times[0] >= result["start"]


@given(events())
def test_without_interim_results_there_are_none(said: list[Event]) -> None:
    """Nor anything else that nobody asked for."""
    messages = told(dialogue(Listen(LiveOptions())), said)

    assert {each["type"] for each in messages} <= {"Results"}
    assert not transcripts(messages, is_final=False)


@given(events())
def test_each_utterance_is_said_to_begin_and_to_end_once(said: list[Event]) -> None:
    """Where that is asked for."""
    kinds = [each["type"] for each in told(dialogue(), said)]

    finals = sum(isinstance(each, Final) for each in said)
    assert kinds.count("UtteranceEnd") == finals
    assert kinds.count("SpeechStarted") >= finals


@given(events(), st.data())
def test_a_snapshot_tells_what_was_not_told(said: list[Event], data: st.DataObject) -> None:
    """Who falls behind gets every final once all the same."""
    cut = data.draw(st.integers(0, len(said)))
    talk = dialogue()
    messages = told(talk, said[:cut])
    finals = tuple(each for each in said if isinstance(each, Final))
    messages += talk.heard(Snapshot(len(said), 0.0, finals, (), ()), 0.0)

    assert transcripts(messages, is_final=True) == [each.text for each in finals]


@pytest.mark.parametrize("is_late", [False, True])
def test_finalize_is_answered_by_what_was_said(is_late: bool) -> None:
    """Whether the result comes before or after it is known to be the last."""
    talk = dialogue(Listen(LiveOptions()))
    said = Numbered(1, 0.0, Final("a", "yes", (EventWord("yes", 1.0, 2.0),), start=1.0, end=2.0))

    talk.finalize()
    if is_late:
        assert talk.finalized(1) == []
        (result,) = talk.heard(said, 2.0)
    else:
        (result,) = talk.heard(said, 2.0)
        assert talk.finalized(1) == []

    assert (result["from_finalize"], result["is_final"]) == (True, True)
    (after,) = talk.heard(
        Numbered(2, 0.0, Final("b", "no", (EventWord("no", 3.0, 4.0),), start=3.0, end=4.0)), 4.0
    )
    assert after["from_finalize"] is False


def test_finalize_is_answered_where_nothing_was_said() -> None:
    """Clients wait for it."""
    talk = dialogue(Listen(LiveOptions()))
    talk.finalize()

    (result,) = talk.finalized(0)

    assert (result["from_finalize"], result["is_final"]) == (True, True)
    best = result["channel"]["alternatives"][0]
    assert (best["transcript"], best["words"], best["confidence"]) == ("", [], 0.0)


def test_the_end_tells_what_had_no_effect_and_what_was_lost() -> None:
    """Spec: compatible-clients/Nothing is ignored silently."""
    talk = dialogue(Listen(LiveOptions(), ignored=("keyterm",)))
    talk.heard(Numbered(1, 0.0, Gap("g", "engine", 1.0, None, 0.5)), 0.0)
    talk.heard(Numbered(2, 0.0, Gap("g", "engine", 1.0, 3.5, 2.0)), 0.0)
    talk.heard(Numbered(3, 0.0, Notice("code", "text")), 0.0)

    (last,) = talk.ended(7.5)

    assert (last["type"], last["duration"]) == ("Metadata", 7.5)
    assert [(each["parameter"], each["message"]) for each in last["warnings"]] == [
        ("keyterm", "has no effect"),
        ("", "from 1.0 to 3.5 s nothing was understood"),
    ]


def test_gaps_are_bounded() -> None:
    """The newest stay."""
    talk = dialogue()
    for number in range(2 * MOST_GAPS):
        talk.heard(Numbered(number + 1, 0.0, Gap(f"g{number}", "media", number, None, 1.0)), 0.0)

    warnings = talk.ended(0.0)[0]["warnings"]

    assert len(warnings) == MOST_GAPS
    assert warnings[-1]["message"].startswith(f"from {2 * MOST_GAPS - 1}.0")


@given(st.text() | st.just('{"type":"KeepAlive"}'))
def test_whatever_arrives(text: str) -> None:
    """Spec: compatible-clients/Whatever clients send."""
    kind = control(text)

    assert isinstance(kind, str)
    assert dialogue().refuse(kind)["type"] in {"Error", "ConfigureFailure"}


def test_deep_nesting_is_no_message() -> None:
    """Nor does it end anything."""
    assert control('{"type":' + "[" * 100_000) == ""
