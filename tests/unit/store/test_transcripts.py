"""Transcripts: kept as they were given, seen by whom they concern, found by what was said."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livebot.errors import NotFoundError, RequestError
from livebot.feeds.events import EventWord
from livebot.store import Store
from livebot.store.folding import clean
from livebot.store.records import (
    EVERYTHING,
    Kind,
    Scope,
    StoredGap,
    StoredTranscript,
    StoredUtterance,
)
from tests.support import kept

OPS = Scope(owner="ops")

_texts = st.text(max_size=30)
_seconds = st.floats(0, 1e6)
_maybe = st.none() | _seconds
_printable = st.text(st.characters(codec="utf-8"), max_size=10)
_words = st.builds(EventWord, _printable, _maybe, _maybe, st.booleans())
_utterances = st.builds(
    StoredUtterance,
    text=_texts,
    words=st.lists(_words, max_size=3).map(tuple),
    start=_seconds,
    end=_seconds,
    speaker=_texts,
    person=_texts,
    language=_texts,
)
_gaps = st.builds(
    StoredGap, cause=_texts, start=_seconds, end=_maybe, lost_s=_seconds, speaker=_texts
)


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(said=st.lists(_utterances, max_size=4), lost=st.lists(_gaps, max_size=2), title=_texts)
async def test_what_is_kept_comes_back(
    store: Store, said: list[StoredUtterance], lost: list[StoredGap], title: str
) -> None:
    """Whatever characters there are, all comes back, ordered by start.

    Spec: store/Transcripts.
    """
    head = kept.head(title=title, language_probability=0.25, ended_at=3.5, duration=2.5)
    await store.transcripts.complete(StoredTranscript(head, tuple(said), tuple(lost)))
    got = await store.transcripts.get(head.id, OPS)
    assert got.head.title == clean(title)
    assert [one.start for one in got.utterances] == sorted(one.start for one in said)
    by_start = sorted(said, key=lambda one: one.start)
    assert [one.text for one in got.utterances] == [clean(one.text) for one in by_start]
    assert [one.words for one in got.utterances] == [one.words for one in by_start]
    assert [one.end for one in got.gaps] == [
        one.end for one in sorted(lost, key=lambda one: one.start)
    ]


async def test_words_that_are_no_text_are_made_some(store: Store) -> None:
    """Halves of characters, as broken engines give them, do no harm."""
    said = kept.utterance("x", words=(EventWord("a\udc80", 1.0, joined=True),))
    whole = StoredTranscript(kept.head(), (said,))
    await store.transcripts.complete(whole)
    (got,) = (await store.transcripts.get(whole.head.id, OPS)).utterances
    assert got.words == (EventWord("a?", 1.0, joined=True),)


async def test_a_transcript_grows(store: Store) -> None:
    """What is added while people speak is there at once; the end is noted."""
    head = kept.head(started_at=100.0)
    await store.transcripts.begin(head)
    await store.transcripts.add(head.id, [kept.utterance("later", 5)])
    await store.transcripts.add(head.id, [kept.utterance("sooner", 1)], [kept.gap(3)])
    await store.transcripts.end(head.id, ended_at=160.0, duration=60.0, language="de")
    got = await store.transcripts.get(head.id, OPS)
    assert [one.text for one in got.utterances] == ["sooner", "later"]
    assert got.gaps == (kept.gap(3),)
    assert (got.head.ended_at, got.head.duration, got.head.language) == (160, 60, "de")


async def test_beginning_twice_changes_nothing(store: Store) -> None:
    """A session that is resumed begins its transcript again."""
    head = kept.head(title="first")
    await store.transcripts.begin(head)
    await store.transcripts.add(head.id, [kept.utterance("a word")])
    await store.transcripts.begin(kept.head(id=head.id, title="second"))
    got = await store.transcripts.get(head.id, OPS)
    assert (got.head.title, len(got.utterances)) == ("first", 1)


async def test_a_whole_one_replaces_what_was_there(store: Store) -> None:
    """A job that is done again leaves one transcript."""
    first = kept.transcript("one", "two", title="x")
    await store.transcripts.complete(first)
    second = kept.transcript("three", id=first.head.id, title="y")
    await store.transcripts.complete(second)
    assert await store.transcripts.get(first.head.id, OPS) == second


async def test_what_comes_after_erasing_is_not_kept(store: Store) -> None:
    """Words that were on their way when a transcript was erased do not bring it back.

    Spec: store/Erasing.
    """
    head = kept.head()
    await store.transcripts.begin(head)
    await store.transcripts.erase(head.id, OPS)
    await store.transcripts.add(head.id, [kept.utterance("too late")], [kept.gap()])
    await store.transcripts.end(head.id, ended_at=1.0, duration=1.0)
    with pytest.raises(NotFoundError):
        await store.transcripts.get(head.id, EVERYTHING)


SCOPES: list[tuple[Scope, set[str]]] = [
    (EVERYTHING, {"call a", "call b", "live", "job"}),
    (Scope(owner="ops", backend=None), {"call a", "call b", "live"}),
    (Scope(owner="ops", backend="a"), {"call a", "live"}),
    (Scope(owner="other", backend="b"), {"call b", "job"}),
    (Scope(owner="", backend="c"), set()),
]


async def test_callers_see_their_own_and_their_backends_calls(store: Store) -> None:
    """Calls are their backend's, whoever asked for them; all else is its owner's.

    Spec: store/Scope.
    """
    heads = [
        kept.head(kind=Kind.CALL, backend="a", owner="x", title="call a"),
        kept.head(kind=Kind.CALL, backend="b", owner="y", title="call b"),
        kept.head(kind=Kind.LIVE, owner="ops", title="live"),
        kept.head(kind=Kind.JOB, owner="other", title="job"),
    ]
    for head in heads:
        await store.transcripts.begin(head)
    for scope, seen in SCOPES:
        assert {head.title for head in (await store.transcripts.find(scope)).items} == seen
        for head in heads:
            if head.title in seen:
                assert (await store.transcripts.get(head.id, scope)).head == head
            else:
                for look in (store.transcripts.get, store.transcripts.erase):
                    with pytest.raises(NotFoundError):
                        await look(head.id, scope)


SEARCHES: dict[str, set[str]] = {
    "HELLO": {"Hello wide World"},
    "ärger": {"ÄRGER und Maß"},
    "MASS": {"ÄRGER und Maß"},
    "привет": {"ПРИВЕТ МИР"},
    "\uff57orld": {"Hello wide World"},
    "wide  \n world": {"Hello wide World"},
    "%": {"100% sure_ly"},
    "_": {"100% sure_ly"},
    "/": {"either/or \\ back"},
    "\\": {"either/or \\ back"},
    "0_ ": set(),
    "minutes": {"Hello wide World"},
    "nothing of the kind": set(),
}


async def test_search_finds_any_case_and_takes_signs_as_they_are(store: Store) -> None:
    """What people type is looked for as it is, in words and titles, in any case.

    Spec: store/Search.
    """
    said: dict[str, str] = {}
    for text in set().union(*SEARCHES.values()):
        title = "Minutes" if text.startswith("Hello") else ""
        whole = kept.transcript("before", text, title=title)
        said[whole.head.id] = text
        await store.transcripts.complete(whole)
    for query, found in SEARCHES.items():
        page = await store.transcripts.find(OPS, query=query)
        assert {said[head.id] for head in page.items} == found, query
        assert set(page.texts) <= {*found, ""}
        assert len(page.texts) == len(page.items)


async def test_a_match_is_shown(store: Store) -> None:
    """The first utterance that matches is shown with what was found."""
    whole = kept.transcript("the first cat", "the second cat", started_at=2.0)
    await store.transcripts.complete(whole)
    await store.transcripts.complete(kept.transcript("no pet", title="Cats", started_at=1.0))
    page = await store.transcripts.find(OPS, query="CAT")
    assert page.texts == ("the first cat", "")


async def test_lists_are_narrowed(store: Store) -> None:
    """By kind, room and person, and all of them together."""
    said = (kept.utterance("hi", person="users/anna"),)
    call = StoredTranscript(kept.head(kind=Kind.CALL, room="r1"), said)
    live = StoredTranscript(kept.head(kind=Kind.LIVE), said)
    for one in (call, live, kept.transcript("else", kind=Kind.CALL, room="r2")):
        await store.transcripts.complete(one)
    find = store.transcripts.find
    assert len((await find(EVERYTHING, kind="call")).items) == 2
    assert (await find(EVERYTHING, room="r1")).items == (call.head,)
    assert set((await find(EVERYTHING, person="users/anna")).items) == {call.head, live.head}
    both = await find(EVERYTHING, person="users/anna", kind="live", query="HI")
    assert both.items == (live.head,)


async def test_pages_are_stable_while_others_come_and_go(store: Store) -> None:
    """Page after page gives each one once, though new ones begin and others are erased.

    Spec: store/Search.
    """
    heads = [kept.head(started_at=float(number // 3)) for number in range(11)]
    for head in heads:
        await store.transcripts.begin(head)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await store.transcripts.find(OPS, limit=2, cursor=cursor)
        seen += [head.id for head in page.items]
        await store.transcripts.begin(kept.head(started_at=1000.0))
        await store.transcripts.erase(page.items[0].id, OPS)
        if not (cursor := page.cursor):
            break
    by_time = sorted(heads, key=lambda head: (head.started_at, head.id), reverse=True)
    assert seen == [head.id for head in by_time]


@given(cursor=st.text(min_size=1, max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
async def test_foreign_cursors_are_refused(store: Store, cursor: str) -> None:
    """A cursor that was made up is the caller's mistake, not ours."""
    with pytest.raises(RequestError):
        await store.transcripts.find(OPS, cursor=cursor)


async def test_long_queries_are_refused(store: Store) -> None:
    """Nobody makes the database look for a novel."""
    with pytest.raises(RequestError):
        await store.transcripts.find(OPS, query="x" * 1000)


async def test_what_ended_long_ago_expires(store: Store) -> None:
    """Ended ones count from their end, others from their last utterance.

    Spec: store/Retention.
    """
    ended = kept.head(started_at=10.0, ended_at=99.0)
    going = StoredTranscript(kept.head(started_at=10.0), (kept.utterance("x", 94.0, end=95.0),))
    empty = kept.head(started_at=103.0)
    await store.transcripts.begin(ended)
    await store.transcripts.begin(empty)
    await store.transcripts.complete(going)
    assert await store.transcripts.expire(99.0) == 0
    assert await store.transcripts.expire(101.0) == 1
    left = {head.id for head in (await store.transcripts.find(EVERYTHING)).items}
    assert left == {going.head.id, empty.id}
    assert await store.transcripts.expire(106.0) == 2


async def test_many_expire_at_once(store: Store) -> None:
    """More than are erased in one transaction."""
    for _ in range(205):
        await store.transcripts.begin(kept.head(ended_at=1.0))
    assert await store.transcripts.expire(2.0) == 205
