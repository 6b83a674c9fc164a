"""What clients of OpenAI's realtime transcription say and are told."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import BusyError
from livebot.feeds.events import Event, Final, Gap, Interim, Notice, Numbered, Snapshot
from livebot.live.openai_realtime import Append, Dialogue, Finalize
from tests.support.utterances import events

DELTA = "conversation.item.input_audio_transcription.delta"
COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"
SECOND = base64.b64encode(bytes(48_000)).decode()

Messages = list[dict[str, Any]]


def dialogue(*, turns: bool = True, is_newer: bool = True) -> Dialogue:
    """Return one."""
    talk = Dialogue("n", is_newer=is_newer)
    if not turns:
        update(talk, {"audio": {"input": {"turn_detection": None}}})
    return talk


def say(talk: Dialogue, **event: Any) -> tuple[Messages, Any]:
    """Return what comes of an event of the client's."""
    return talk.receive(json.dumps(event))


def update(talk: Dialogue, session: Any) -> dict[str, Any]:
    """Return the answer to an update."""
    (told,), action = say(talk, type="session.update", session=session)
    assert action is None
    return told


def hear(talk: Dialogue, said: list[Event], after: int = 0) -> Messages:
    """Return what is told of events."""
    numbered = [Numbered(number, 0.0, event) for number, event in enumerate(said, after + 1)]
    return [message for each in numbered for message in talk.heard(each)]


def deltas(messages: Messages) -> dict[str, str]:
    """Return the joined deltas of each item."""
    found: dict[str, str] = {}
    for each in messages:
        if each["type"] == DELTA:
            assert each["delta"]
            found[each["item_id"]] = found.get(each["item_id"], "") + each["delta"]
    return found


def transcripts(messages: Messages) -> dict[str, str]:
    """Return the transcript of each item."""
    done = [each for each in messages if each["type"] == COMPLETED]
    assert len({each["item_id"] for each in done}) == len(done)
    return {each["item_id"]: each["transcript"] for each in done}


def texts(said: list[Event]) -> list[str]:
    """Return the texts of finals."""
    return [each.text for each in said if isinstance(each, Final)]


@given(events())
def test_joined_deltas_are_the_transcript(said: list[Event]) -> None:
    """Each utterance is an item. Spec: compatible-clients/Live in OpenAI's form."""
    messages = hear(dialogue(), said)

    done = transcripts(messages)
    assert [text for text in done.values() if text] == texts(said)
    assert deltas(messages) == {item: text for item, text in done.items() if text}


@given(events(spaces=False))
def test_deltas_without_spaces(said: list[Event]) -> None:
    """Also where some words have no space between them."""
    messages = hear(dialogue(), said)

    assert deltas(messages) == {i: text for i, text in transcripts(messages).items() if text}


@given(events(spaces=False), st.data())
def test_a_commit_ends_an_item(said: list[Event], data: st.DataObject) -> None:
    """All that was said until then is in it. Spec: compatible-clients/Live in OpenAI's form."""
    talk = dialogue(turns=False)
    # A commit comes where all utterances are complete.
    ends = [number for number, each in enumerate(said, 1) if isinstance(each, Final)]
    cuts = sorted({data.draw(st.sampled_from(ends)), len(said)}) if ends else [len(said)]
    messages: Messages = []
    begin, expected = 0, []
    for cut in cuts:
        say(talk, type="input_audio_buffer.append", audio=SECOND)
        told, action = say(talk, type="input_audio_buffer.commit")
        assert action == Finalize()
        messages += told
        late = data.draw(st.booleans())
        if late:
            messages += talk.finalized(cut)
        messages += hear(talk, said[begin:cut], begin)
        if not late:
            messages += talk.finalized(cut)
        expected.append(texts(said[begin:cut]))
        begin = cut

    done = transcripts(messages)
    assert deltas(messages) == {item: text for item, text in done.items() if text}
    assert ["".join(t.split()) for t in done.values()] == [
        "".join("".join(each).split()) for each in expected
    ]


@given(events())
def test_every_item_is_introduced_before_it_is_told_of(said: list[Event]) -> None:
    """And no id comes twice."""
    messages = hear(dialogue(), said)

    known: set[str] = set()
    for each in messages:
        if each["type"] == "conversation.item.added":
            assert each["item"]["id"] not in known
            known.add(each["item"]["id"])
        elif each["type"] in (DELTA, COMPLETED):
            assert each["item_id"] in known
    ids = [each["event_id"] for each in messages]
    assert len(set(ids)) == len(ids)


@given(events())
def test_speech_begins_and_ends(said: list[Event]) -> None:
    """In turns."""
    kinds = [each["type"].rpartition(".")[2] for each in hear(dialogue(), said)]
    turns = [kind for kind in kinds if kind.startswith("speech_")]

    assert turns == ["speech_started", "speech_stopped"] * (len(turns) // 2)


@given(events(), st.data())
def test_a_snapshot_tells_what_was_not_told(said: list[Event], data: st.DataObject) -> None:
    """Who falls behind gets every transcript all the same."""
    cut = data.draw(st.integers(0, len(said)))
    talk = dialogue()
    messages = hear(talk, said[:cut])
    finals = tuple(each for each in said if isinstance(each, Final))
    messages += talk.heard(Snapshot(len(said), 0.0, finals, (), ()))

    done = transcripts(messages)
    assert [text for text in done.values() if text] == texts(said)


def test_what_is_cleared_is_not_told() -> None:
    """But what was told already is completed as it was."""
    talk = dialogue(turns=False)
    say(talk, type="input_audio_buffer.append", audio=SECOND)
    messages = hear(talk, [Interim("a", "one two", stable=3)])
    told, action = say(talk, type="input_audio_buffer.clear")
    messages += told
    assert action == Finalize()
    messages += hear(talk, [Final("a", "one two", ()), Gap("g", "engine", 0.0, 1.0, 1.0)], 1)
    messages += talk.finalized(3)
    say(talk, type="input_audio_buffer.append", audio=SECOND)
    messages += say(talk, type="input_audio_buffer.commit")[0]
    messages += hear(talk, [Final("b", "three", ())], 3)
    messages += talk.finalized(4)

    assert list(transcripts(messages).values()) == ["one", "three"]
    assert list(deltas(messages).values()) == ["one", "three"]


def test_clear_before_audio() -> None:
    """There is nothing to wait for."""
    (told,), action = say(dialogue(), type="input_audio_buffer.clear")

    assert (told["type"], action) == ("input_audio_buffer.cleared", None)


def test_what_is_lost_is_an_item_that_failed() -> None:
    """Once it is known how much that is."""
    messages = hear(
        dialogue(),
        [
            Gap("g", "engine", 1.0, None, 2.0),
            Gap("g", "engine", 1.0, 5.0, 4.0),
            Notice("code", "text"),
        ],
    )

    (failed,) = [each for each in messages if each["type"] == FAILED]
    assert (failed["error"]["code"], failed["error"]["message"]) == (
        "engine", "4.0 s were not understood",
    )  # fmt: skip


@pytest.mark.parametrize("is_newer", [True, False])
@pytest.mark.parametrize(
    ("newer", "older", "encoding", "rate_hz"),
    [
        ("audio/pcm", "pcm16", "pcm_s16le", 24_000),
        ("audio/pcmu", "g711_ulaw", "mulaw", 8_000),
        ("audio/pcma", "g711_alaw", "alaw", 8_000),
    ],
)
def test_both_forms_of_sessions(
    *, is_newer: bool, newer: str, older: str, encoding: str, rate_hz: int
) -> None:
    """Both are understood everywhere, and told as the client began."""
    heard = {"model": "gpt-4o-transcribe", "language": "de", "prompt": "p"}
    nested = {
        "type": "transcription",
        "audio": {"input": {"format": {"type": newer}, "transcription": heard}},
    }
    flat = {"input_audio_format": older, "input_audio_transcription": heard}
    for session in (nested, flat):
        talk = dialogue(is_newer=is_newer)
        told = update(talk, session)

        options = talk.options
        assert (options.encoding, options.rate_hz) == (encoding, rate_hz)
        assert options.language == "de"
        about = told["session"]
        if is_newer:
            assert told["type"] == "session.updated"
            assert about["audio"]["input"]["format"]["type"] == newer
            assert about["audio"]["input"]["transcription"] == heard
        else:
            assert told["type"] == "transcription_session.updated"
            assert about["input_audio_format"] == older
            assert about["input_audio_transcription"] == heard


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"type": "realtime"}, "session.type"),
        ({"audio": {"input": {"format": {"type": "audio/mp3"}}}}, "session.audio.input.format"),
        (
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
            "session.audio.input.format.rate",
        ),
        (
            {"audio": {"input": {"transcription": {"model": "parrot"}}}},
            "session.audio.input.transcription.model",
        ),
        ({"turn_detection": {"type": "guess"}}, "session.turn_detection.type"),
        ({"input_audio_format": "mp3"}, "session.input_audio_format"),
        ([], "session"),
        (3, "session"),
    ],
)
def test_what_cannot_be_set(session: Any, param: str) -> None:
    """It is said where it stands, and nothing has changed."""
    talk = dialogue()
    before = talk.options

    told = update(talk, session)

    assert (told["type"], told["error"]["param"]) == ("error", param)
    assert talk.options == before


def test_a_session_that_is_missing() -> None:
    """It is an error."""
    (told,), _ = say(dialogue(), type="session.update", event_id="mine")

    assert told["error"]["code"] == "missing_required_parameter"
    assert told["error"]["event_id"] == "mine"


def test_format_and_language_stay_once_audio_came() -> None:
    """What else there is may change."""
    talk = dialogue()
    (_, action) = say(talk, type="input_audio_buffer.append", audio=SECOND)
    assert action == Append(bytes(48_000))

    assert update(talk, {"input_audio_format": "g711_ulaw"})["type"] == "error"
    assert update(talk, {"turn_detection": None})["type"] == "session.updated"


def test_several_languages_are_a_hint() -> None:
    """One is what is spoken."""
    talk = dialogue()
    for languages, language in ((["de"], "de"), (["de", "en"], "")):
        update(talk, {"input_audio_transcription": {"languages": languages}})
        assert talk.options.language == language


def test_too_little_to_commit() -> None:
    """Is an error, and nothing is waited for."""
    talk = dialogue()
    say(talk, type="input_audio_buffer.append", audio=base64.b64encode(bytes(100)).decode())

    (told,), action = say(talk, type="input_audio_buffer.commit")

    assert (told["error"]["code"], action) == ("input_audio_buffer_commit_empty", None)


def test_what_fails_elsewhere_is_an_error() -> None:
    """With its text."""
    (told,) = dialogue().failed(BusyError("not now"))

    assert (told["type"], told["error"]["message"]) == ("error", "not now")


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["audio", "session", "event_id", "input"]) | st.text(), inner
        ),
    ).map(json.dumps)
)
def test_whatever_arrives(text: str) -> None:
    """There are messages of the form. Spec: compatible-clients/Whatever clients send."""
    messages, action = dialogue().receive(text)

    assert action is None
    assert [each["type"] for each in messages] == ["error"]


def test_deep_nesting_is_an_error() -> None:
    """Nor does it end anything."""
    (told,), _ = dialogue().receive('{"type":"session.update","session":' + "[" * 100_000)

    assert told["type"] == "error"
