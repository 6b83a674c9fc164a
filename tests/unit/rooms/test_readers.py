"""Who of a room asked for captions.

Spec: readers/Who reads, readers/Too many readers
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions.caption import Mode
from livebot.errors import BusyError, NotAReaderError
from livebot.ids import SessionId, TalkSessionId
from livebot.rooms.readers import ALL_READERS, MOST_READERS, Audience, Reader, Readers, Wish

NAMES = [TalkSessionId(name) for name in ("t1", "t2", "t3")]
MODES: st.SearchStrategy[Mode] = st.sampled_from(("append", "replace"))
WISHES = st.builds(Wish, st.none() | MODES, st.none() | st.sampled_from(["fr", "en"]))
READERS = st.builds(
    Reader,
    st.sampled_from([SessionId("s1"), SessionId("s2")]),
    MODES,
    st.none() | st.sampled_from(["fr", "en"]),
    st.sampled_from(NAMES),
)


@given(
    MODES,
    st.booleans(),
    st.dictionaries(st.sampled_from(NAMES), WISHES),
    st.dictionaries(
        st.integers(0, 5).map(lambda n: SessionId(f"s{n}")), st.sampled_from([*NAMES, ""])
    ),
)
def test_who_is_present(
    mode: Mode,
    everybody: bool,
    wishes: dict[TalkSessionId, Wish],
    people: dict[SessionId, TalkSessionId],
) -> None:
    """Those in the call who asked, or all of it, each once and as it wished."""
    found = {
        r.session: r for r in Readers(mode, everybody=everybody, wishes=wishes).present(people)
    }

    assert set(found) == {s for s, talk in people.items() if everybody or talk in wishes}
    for session, reader in found.items():
        wish = wishes.get(people[session], Wish())
        assert reader == Reader(session, wish.mode or mode, wish.target, people[session])


@given(READERS)
def test_a_caption_is_for_one_half_of_those_who_read_otherwise(reader: Reader) -> None:
    """Of both modes one is for a reader; of a sentence and its translation one is, too."""
    modes: tuple[Mode, ...] = ("append", "replace")
    assert [reader in Audience(mode, "en") for mode in modes].count(True) == (
        reader.target in (None, "en")
    )
    spoken = reader in Audience(language="en")
    translated = reader in Audience(language="fr", is_spoken=False)
    assert spoken != translated
    assert reader in ALL_READERS


def test_nothing_can_be_changed_for_who_has_not_asked() -> None:
    """And what is changed for others stays."""
    readers = Readers("append")
    readers.ask(NAMES[0], Wish("replace"))

    with pytest.raises(NotAReaderError):
        readers.set_target(NAMES[1], "fr")
    readers.set_target(NAMES[0], "fr")
    assert readers.wishes == {NAMES[0]: Wish("replace", "fr")}
    assert not readers.withdraw(NAMES[1])
    assert readers.withdraw(NAMES[0])


def test_each_change_makes_another_version() -> None:
    """Whoever keeps who is present learns that it is so no more."""
    readers = Readers("append")
    seen = {readers.version}
    for change in (
        lambda: readers.ask(NAMES[0], Wish()),
        lambda: readers.set_target(NAMES[0], "fr"),
        lambda: readers.withdraw(NAMES[0]),
    ):
        change()
        seen.add(readers.version)

    assert len(seen) == 4


def test_readers_are_bounded() -> None:
    """The first who is not in the call goes, and where all are nobody else is taken."""
    names = [TalkSessionId(str(number)) for number in range(MOST_READERS)]
    readers = Readers("append", wishes=dict.fromkeys(names, Wish()))
    readers.ask(names[5], Wish("replace"), here=names)
    with pytest.raises(BusyError):
        readers.ask(NAMES[0], Wish(), here=names)
    readers.ask(NAMES[0], Wish(), here=names[:1])

    assert len(readers.wishes) == MOST_READERS
    assert names[0] in readers.wishes
    assert names[1] not in readers.wishes
