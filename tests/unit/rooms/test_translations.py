"""Final captions on their way into other languages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.captions.caption import Caption
from livebot.errors import TranslationError, TranslationUnavailableError
from livebot.ids import SessionId
from livebot.metrics import Metrics
from livebot.rooms import translations
from livebot.rooms.lanes import MOST_KEPT, Item, Lanes
from livebot.rooms.translations import (
    AT_ONCE,
    FAILURES,
    MOST_WAITING,
    REST_S,
    TRANSLATE_WITHIN_S,
    Rest,
    Translations,
    base,
)
from livebot.translator import TranslationLanguages
from tests.support.virtual_time import VirtualTimeLoop

ANNA, BEN = SessionId("anna"), SessionId("ben")
FOREVER_S = 1e6
OUTCOMES = ("translated", "failed", "late", "refused")


@dataclass
class Script:
    """A translator that does with a text as it was told, and writes `fr: text` otherwise.

    Attributes:
        takes_s: How long a text takes; else nothing.
        answers: What comes back in place of the translation.
        asked: Every text it was given, with its languages.
        at_once: The most texts it had at the same time.
    """

    takes_s: dict[str, float] = field(default_factory=dict)
    answers: dict[str, str | Exception] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    at_once: int = 0
    _now: int = 0

    async def languages(self) -> TranslationLanguages:
        """Say nothing: nobody asks here."""
        return TranslationLanguages()

    async def translate(self, text: str, *, origin: str, target: str) -> str:
        """Do as the script says."""
        self.asked.append((text, origin, target))
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            await asyncio.sleep(self.takes_s.get(text, 0.0))
        finally:
            self._now -= 1
        answer = self.answers.get(text, f"{target}: {text}")
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Room:
    """What a room does with translations.

    Attributes:
        script: The translator.
        targets: What readers want.
        out: What came out: seconds, text, language wanted, language it is in.
    """

    script: Script = field(default_factory=Script)
    targets: list[str] = field(default_factory=lambda: ["fr"])
    metrics: Metrics = field(default_factory=Metrics)
    out: list[tuple[float, str, str, str]] = field(default_factory=list)
    speakers: list[SessionId] = field(default_factory=list)

    def build(self, *, has_translator: bool = True) -> Translations:
        """Return translations of this room."""
        return Translations(
            self.script if has_translator else None,
            targets=lambda: self.targets,
            on_done=self._done,
            metrics=self.metrics,
        )

    def _done(self, session: SessionId, caption: Caption, target: str, language: str) -> None:
        assert caption.final
        now = asyncio.get_running_loop().time()
        self.out.append((round(now, 3), caption.text, target, language))
        self.speakers.append(session)

    def texts(self, target: str = "fr") -> list[str]:
        """Return what the readers of one language got."""
        return [text for _, text, wanted, _ in self.out if wanted == target]

    def counted(self) -> dict[str, int]:
        """Return how often each outcome was counted."""
        names = {name: self.metrics.translations.labels(name) for name in OUTCOMES}
        found = {name: int(child._value.get()) for name, child in names.items()}
        return {name: number for name, number in found.items() if number}


@asynccontextmanager
async def running(room: Room, *, closes: bool = True) -> AsyncIterator[Translations]:
    """Run translations, to their end or until cancelled."""
    found = room.build()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(found.run())
        await asyncio.sleep(0)
        yield found
        if closes:
            found.close()
            await task
        else:
            task.cancel()


def say(text: str) -> Caption:
    """Return a final caption."""
    return Caption(text, final=True, start=1.0, end=2.0)


@pytest.mark.virtual_time
async def test_readers_get_the_translation_and_its_language() -> None:
    """Everything else of the caption stays. Spec: translation/Final captions."""
    room = Room(targets=["fr", "es"])
    async with running(room) as found:
        found.put(BEN, say("hello"), "en")

    assert sorted(room.out) == [
        (0.0, "es: hello", "es", "es"),
        (0.0, "fr: hello", "fr", "fr"),
    ]
    assert room.speakers == [BEN, BEN]
    assert sorted(room.script.asked) == [("hello", "en", "es"), ("hello", "en", "fr")]
    assert room.counted() == {"translated": 2}


@pytest.mark.virtual_time
async def test_times_of_a_caption_stay() -> None:
    """A translation was said when its words were."""
    got: list[Caption] = []
    found = Translations(
        Script(),
        targets=lambda: {"fr"},
        on_done=lambda _, caption, *__: got.append(caption),
        metrics=Metrics(),
    )
    found.put(ANNA, say("hello"), "en")
    found.close()
    await found.run()

    assert got == [Caption("fr: hello", final=True, start=1.0, end=2.0)]


@pytest.mark.virtual_time
async def test_nothing_is_translated_that_nobody_wants() -> None:
    """No reader of another language, no request."""
    room = Room(targets=[])
    async with running(room) as found:
        found.put(ANNA, say("hello"), "en")

    assert room.out == []
    assert room.script.asked == []


@pytest.mark.virtual_time
@pytest.mark.parametrize("target", ["en", "EN", "en-GB", "en_US"])
async def test_the_language_that_is_spoken_needs_no_translation(target: str) -> None:
    """Regions do not matter; the caption says what it is in, and is not counted."""
    room = Room(targets=[target])
    async with running(room) as found:
        found.put(ANNA, say("hello"), "en")

    assert room.out == [(0.0, "hello", target, "en")]
    assert room.script.asked == []
    assert room.counted() == {}


@pytest.mark.virtual_time
async def test_who_is_slow_is_waited_for_in_its_language_only() -> None:
    """What is ready waits for those before it, also if it needs no translation."""
    room = Room(Script(takes_s={"one": 3.0, "two": 1.0}), targets=["fr", "es"])
    async with running(room) as found:
        room.targets = ["fr"]
        found.put(ANNA, say("one"), "en")
        room.targets = ["fr", "es"]
        found.put(BEN, say("two"), "en")
        room.targets = ["fr"]
        found.put(BEN, say("trois"), "fr")

    assert room.out == [
        (1.0, "es: two", "es", "es"),
        (3.0, "fr: one", "fr", "fr"),
        (3.0, "fr: two", "fr", "fr"),
        (3.0, "trois", "fr", "fr"),
    ]


@pytest.mark.virtual_time
@pytest.mark.parametrize("answer", [TranslationError("no"), "", " \n"])
async def test_what_cannot_be_translated_goes_out_as_spoken(answer: str | Exception) -> None:
    """With the language it is in; the next one is tried. Spec: translation/Never deaf."""
    room = Room(Script(answers={"one": answer}))
    async with running(room) as found:
        found.put(ANNA, say("one"), "en")
        found.put(ANNA, say("two"), "en")

    assert room.out == [(0.0, "one", "fr", "en"), (0.0, "fr: two", "fr", "fr")]
    assert room.counted() == {"failed": 1, "translated": 1}


@pytest.mark.virtual_time
async def test_what_is_late_goes_out_as_spoken() -> None:
    """At its deadline, not later. Spec: translation/Deadline."""
    room = Room(Script(takes_s={"one": FOREVER_S, "two": TRANSLATE_WITHIN_S - 0.1}))
    async with running(room) as found:
        found.put(ANNA, say("one"), "en")
        found.put(ANNA, say("two"), "en")

    assert room.out == [
        (TRANSLATE_WITHIN_S, "one", "fr", "en"),
        (TRANSLATE_WITHIN_S, "fr: two", "fr", "fr"),
    ]
    assert room.counted() == {"late": 1, "translated": 1}


@pytest.mark.virtual_time
async def test_several_are_translated_at_once_and_not_more() -> None:
    """The rest waits, and the wait counts against the deadline."""
    texts = [str(number) for number in range(AT_ONCE + 1)]
    room = Room(Script(takes_s=dict.fromkeys(texts, 9.5)))
    async with running(room) as found:
        for text in texts:
            found.put(ANNA, say(text), "en")

    assert room.script.at_once == AT_ONCE
    assert len(room.script.asked) == AT_ONCE, "half a second is not enough to begin"
    assert [at for at, *_ in room.out] == [9.5] * (AT_ONCE + 1)
    assert room.texts() == [f"fr: {text}" for text in texts[:-1]] + texts[-1:]
    assert room.counted() == {"translated": AT_ONCE, "late": 1}


@pytest.mark.virtual_time
async def test_when_too_many_wait_the_newest_are_not_translated() -> None:
    """They come out in their place all the same. Spec: translation/Bounded."""
    texts = [str(number) for number in range(MOST_WAITING + 2)]
    room = Room()
    found = room.build()
    for text in texts:
        found.put(ANNA, say(text), "en")
    assert room.out == []
    found.close()
    await found.run()

    assert room.texts() == [f"fr: {text}" for text in texts[:-2]] + texts[-2:]
    assert room.counted() == {"translated": MOST_WAITING, "refused": 2}


@pytest.mark.virtual_time
async def test_one_that_holds_up_too_many_is_given_up() -> None:
    """However much is said behind a text that is being translated, memory is bounded."""
    room = Room(Script(takes_s={"one": FOREVER_S}))
    async with running(room) as found:
        found.put(ANNA, say("one"), "en")
        for _ in range(MOST_KEPT):
            found.put(ANNA, say("oui"), "fr")

        assert room.texts() == ["one"] + MOST_KEPT * ["oui"]
        assert room.counted() == {"late": 1}


@pytest.mark.virtual_time
async def test_a_translator_that_is_not_there_costs_no_time() -> None:
    """Not even the captions that wait. Spec: translation/Rest."""
    answers: dict[str, str | Exception] = {"two": TranslationUnavailableError("none installed")}
    room = Room(Script(takes_s={"one": FOREVER_S}, answers=answers))
    async with running(room, closes=False) as found:
        found.put(ANNA, say("one"), "en")
        found.put(ANNA, say("two"), "en")
        await asyncio.sleep(1)
        found.put(ANNA, say("three"), "en")

    assert room.out == [
        (0.0, "one", "fr", "en"),
        (0.0, "two", "fr", "en"),
        (1.0, "three", "fr", "en"),
    ]
    assert [text for text, *_ in room.script.asked] == ["one", "two"]


@pytest.mark.virtual_time
async def test_what_waits_is_not_given_to_a_translator_that_is_not_there() -> None:
    """Only what it has already does it get."""
    texts = [str(number) for number in range(AT_ONCE + 3)]
    room = Room(
        Script(dict.fromkeys(texts, 1.0), dict.fromkeys(texts, TranslationUnavailableError()))
    )
    async with running(room) as found:
        for text in texts:
            found.put(ANNA, say(text), "en")

    assert [text for text, *_ in room.script.asked] == texts[:AT_ONCE]
    assert room.out == [(1.0, text, "fr", "en") for text in texts]


@pytest.mark.virtual_time
async def test_after_several_failures_it_is_tried_for_nobody_until_it_works() -> None:
    """One text a rest; nobody waits for it, and its success ends the rest."""
    down = dict.fromkeys(("1", "2", "3"), TranslationError("no"))
    takes_s = {"probe": FOREVER_S, "again": 2.0}
    room = Room(Script(takes_s, dict(down)))
    async with running(room) as found:
        for text in ("1", "2", "3", "4"):
            found.put(ANNA, say(text), "en")
            await asyncio.sleep(1)
        await asyncio.sleep(REST_S)
        found.put(ANNA, say("probe"), "en")
        found.put(ANNA, say("not tried"), "en")
        await asyncio.sleep(TRANSLATE_WITHIN_S + REST_S)
        found.put(ANNA, say("again"), "en")
        await asyncio.sleep(3)
        found.put(ANNA, say("at last"), "en")

    assert [text for text, *_ in room.script.asked] == ["1", "2", "3", "probe", "again", "at last"]
    assert room.out[4:] == [
        (4 + REST_S, "probe", "fr", "en"),
        (4 + REST_S, "not tried", "fr", "en"),
        (14 + 2 * REST_S, "again", "fr", "en"),
        (17 + 2 * REST_S, "fr: at last", "fr", "fr"),
    ]
    assert room.counted() == {"failed": FAILURES, "refused": 4, "translated": 1}


@pytest.mark.virtual_time
async def test_without_a_translator_all_goes_out_as_spoken() -> None:
    """Somebody wanted it, so somebody gets it."""
    room = Room()
    found = room.build(has_translator=False)
    found.put(ANNA, say("hello"), "en")

    assert room.out == [(0.0, "hello", "fr", "en")]
    assert room.counted() == {"refused": 1}


@pytest.mark.virtual_time
async def test_closing_waits_for_what_is_on_its_way() -> None:
    """What comes later is not translated, and stays behind what was before it."""
    room = Room(Script(takes_s={"one": 2.0}))
    async with running(room) as found:
        found.put(ANNA, say("one"), "en")
        found.close()
        found.put(ANNA, say("two"), "en")

    assert room.out == [(2.0, "fr: one", "fr", "fr"), (2.0, "two", "fr", "en")]


@pytest.mark.virtual_time
async def test_cancelled_all_comes_out_as_spoken() -> None:
    """A room that must stop at once keeps nobody's words."""
    room = Room(Script(takes_s=dict.fromkeys(("one", "two"), FOREVER_S)))
    async with running(room, closes=False) as found:
        found.put(ANNA, say("one"), "en")
        found.put(ANNA, say("two"), "en")
        await asyncio.sleep(1)
    found.put(ANNA, say("three"), "en")

    assert room.texts() == ["one", "two", "three"]
    assert room.counted() == {"refused": 3}


@pytest.mark.virtual_time
async def test_a_bug_in_a_translator_is_loud_and_costs_no_words() -> None:
    """It ends the task, and what waits comes out."""
    room = Room(Script(takes_s={"one": 1.0, "three": 1.0}, answers={"two": ZeroDivisionError()}))
    found = room.build()
    for text in ("one", "two", "three"):
        found.put(ANNA, say(text), "en")
    with pytest.raises(ExceptionGroup):
        await found.run()
    found.put(ANNA, say("four"), "en")

    assert room.texts() == ["one", "two", "three", "four"]


def on_virtual_time(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario in which waiting takes no time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(scenario())


DURATIONS = st.sampled_from([0.0, 0.0, 0.5, 3.0, 9.5, 11.0, FOREVER_S])
ANSWERS = st.sampled_from(
    [None, None, None, "", TranslationError("no"), TranslationUnavailableError("none")]
)
PUTS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.3, 4.0, REST_S]),  # seconds before
        st.sets(st.sampled_from(["fr", "es", "en"]), max_size=3),
        DURATIONS,
        ANSWERS,
    ),
    max_size=60,
)
Puts = list[tuple[float, set[str], float, str | Exception | None]]


@given(PUTS, st.sampled_from(["close", "cancel"]))
def test_whatever_the_translator_does_everything_comes_out_once_and_in_order(
    puts: Puts, end: str
) -> None:
    """In each language, in time, and in words that somebody said or that are a translation.

    Spec: translation/Never deaf.
    """
    room, said = Room(), dict[str, list[tuple[float, str]]]()

    async def scenario() -> None:
        async with running(room, closes=end == "close") as found:
            for number, (wait_s, targets, takes_s, answer) in enumerate(puts):
                text = str(number)
                await asyncio.sleep(wait_s)
                room.targets, room.script.takes_s[text] = sorted(targets), takes_s
                if answer is not None:
                    room.script.answers[text] = answer
                for target in targets:
                    now = asyncio.get_running_loop().time()
                    said.setdefault(target, []).append((now, text))
                found.put(ANNA, say(text), "en")

    on_virtual_time(scenario)

    for target, put_in in said.items():
        came = [(at, text, lang) for at, text, wanted, lang in room.out if wanted == target]
        assert [text.removeprefix(f"{target}: ") for _, text, _ in came] == [t for _, t in put_in]
        assert all(
            at - put_at <= TRANSLATE_WITHIN_S + 0.01
            for (at, *_), (put_at, _) in zip(came, put_in, strict=True)
        )
        assert all((lang == "en") is (": " not in text) for _, text, lang in came)
    assert len(room.out) == sum(len(put_in) for put_in in said.values())
    assert room.script.at_once <= AT_ONCE
    wanted = [1 for *_, target, _ in room.out if target != "en"]
    assert sum(room.counted().values()) == len(wanted)


@given(st.lists(st.tuples(st.sampled_from(["fr", "es"]), st.booleans())), st.randoms())
def test_lanes_keep_their_order(what: list[tuple[str, bool]], chance: Any) -> None:
    """Whatever the order in which items are settled; a lane that is empty is forgotten."""
    lanes = Lanes()
    items = [
        Item(ANNA, say(str(number)), "en", target, 0.0) for number, (target, _) in enumerate(what)
    ]
    for item in items:
        assert lanes.add(item) is None
    left: list[Item] = []
    for item in chance.sample(items, len(items)):
        item.settle("x")
        left += lanes.leave(item.target)

    for target in ("fr", "es"):
        assert [i for i in left if i.target == target] == [i for i in items if i.target == target]
    assert lanes.all() == []


def test_a_settled_item_stays_as_it_is() -> None:
    """A translation that comes after its time changes nothing."""
    item = Item(ANNA, say("hello"), "en", "fr", 0.0)
    item.settle()
    item.settle("bonjour")

    assert item.result == (say("hello"), "en")


def test_a_success_between_failures_forgives_them() -> None:
    """Only failures in a row tell that nothing works."""
    rest = Rest()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            rest.failed(0.0, is_hopeless=False)
        assert not rest.is_on
        rest.worked()

    rest.failed(5.0, is_hopeless=True)
    assert rest.is_on
    assert not rest.may_try(5.0 + REST_S - 0.1)
    assert rest.may_try(5.0 + REST_S)
    assert not rest.may_try(5.0 + REST_S), "one a rest"
    assert rest.is_on
    rest.worked()
    assert not rest.is_on


@pytest.mark.parametrize(
    ("language", "expected"),
    [("pt-BR", "pt"), ("pt_BR", "pt"), ("DE", "de"), ("zh-Hans-CN", "zh")],
)
def test_base(language: str, expected: str) -> None:
    """Both separators are in use."""
    assert base(language) == expected


def test_the_limits_fit_into_each_other() -> None:
    """What waits can be translated in time by a translator that takes two seconds."""
    assert 2.0 * (MOST_WAITING / AT_ONCE + 1) <= TRANSLATE_WITHIN_S
    assert translations.LEAST_S < TRANSLATE_WITHIN_S
