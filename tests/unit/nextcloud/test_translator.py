"""Translation by Nextcloud, without a network."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from livebot import translator as contract
from livebot.errors import NextcloudError, TranslationError, TranslationUnavailableError
from livebot.nextcloud.ocs import AnswerError
from livebot.nextcloud.translator import (
    MOST_LOST_POLLS,
    MOST_TASKS,
    MOST_WAITING,
    TASK_WITHIN_S,
    NextcloudTranslator,
)
from tests.support.waiting import until
from tests.unit.nextcloud.scripted import ScriptedOcs
from tests.unit.nextcloud.test_task_processing import named, types

if TYPE_CHECKING:
    _: type[contract.Translator] = NextcloudTranslator

pytestmark = pytest.mark.virtual_time

SPEECH = "My password is swordfish."


@dataclass
class Tasks:
    """Nextcloud's tasks, as they are.

    Attributes:
        task_s: How long one takes.
        faults: What is raised, by the end of the path.
        held: When each task that Nextcloud still has was made.
        most: How many there were at a time, at most.
    """

    task_s: float = 1.0
    faults: dict[str, NextcloudError] = field(default_factory=dict)
    status: str = "STATUS_SUCCESSFUL"
    held: dict[int, tuple[float, Any]] = field(default_factory=dict)
    made: int = 0
    most: int = 0
    scripted: ScriptedOcs = field(init=False)

    def __post_init__(self) -> None:
        self.scripted = ScriptedOcs(self._answer)

    def _answer(self, method: str, path: str, body: object) -> object:
        end = path.rpartition("/")[2]
        if fault := self.faults.get(end) or self.faults.get(method):
            raise fault
        match method, end:
            case "GET", "tasktypes":
                return types(named("en", "detect_language"), named("de", "fr"))
            case "POST", "schedule":
                self.made += 1
                self.held[self.made] = asyncio.get_running_loop().time(), body
                self.most = max(self.most, len(self.held))
                return {"task": {"id": self.made, "status": "STATUS_SCHEDULED"}}
            case "DELETE", _:
                self.held.pop(int(end), None)
                return None
            case _:
                pass
        begun, given = self.held[int(end)]
        if asyncio.get_running_loop().time() < begun + self.task_s:
            return {"task": {"id": int(end), "status": "STATUS_RUNNING"}}
        output = {"output": given["input"]["input"].upper()}
        return {"task": {"id": int(end), "status": self.status, "output": output}}

    def translator(self) -> NextcloudTranslator:
        """Return a translator that uses them."""
        return NextcloudTranslator(self.scripted, app_id="live_transcription")


async def test_text_comes_back_and_nothing_stays() -> None:
    """The task is deleted when it is over. Spec: nextcloud/Translation."""
    tasks = Tasks()
    async with tasks.translator() as translator:
        assert await translator.translate(SPEECH, origin="en", target="de") == SPEECH.upper()
        await asyncio.sleep(1)

    assert (tasks.made, tasks.held) == (1, {})


async def test_origin_is_detected_where_it_is_not_known() -> None:
    """A provider that can find out is asked to."""
    tasks = Tasks()
    async with tasks.translator() as translator:
        await translator.translate(SPEECH, origin="auto", target="fr")

    given = next(body for body in tasks.scripted.bodies if body)
    assert isinstance(given, dict)
    assert given["input"]["origin_language"] == "detect_language"


async def test_language_that_is_none() -> None:
    """No task is made for it."""
    tasks = Tasks()
    async with tasks.translator() as translator:
        with pytest.raises(TranslationError, match="en into xx"):
            await translator.translate(SPEECH, origin="en", target="xx")

    assert tasks.made == 0


@pytest.mark.parametrize("takes_s", [0.0, 0.5])
async def test_given_up_text_is_deleted(takes_s: float) -> None:
    """Whenever a caller's deadline comes: Nextcloud keeps no speech of it."""
    for moment in (0.1, 0.4, 0.6, 1.1, 2.0, 5.0):
        tasks = Tasks(task_s=100.0)
        async with tasks.translator() as translator:
            await translator.languages()
            tasks.scripted.takes_s = takes_s
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(moment):
                    await translator.translate(SPEECH, origin="en", target="de")
            await asyncio.sleep(10)

        assert (tasks.made, tasks.held) == (1, {})


async def test_stop_deletes_the_last_texts() -> None:
    """It waits for them a moment, and no longer."""
    tasks, loop = Tasks(), asyncio.get_running_loop()
    async with tasks.translator() as translator:
        await translator.translate(SPEECH, origin="en", target="de")
        tasks.scripted.takes_s = 0.5
    assert not tasks.held
    async with tasks.translator() as translator:
        await translator.translate(SPEECH, origin="en", target="de")
        tasks.scripted.takes_s, left_at = 100.0, loop.time()

    assert loop.time() - left_at <= 1.0


async def test_few_at_a_time() -> None:
    """Nextcloud's workers serve others too; too many who wait are refused at once."""
    tasks = Tasks()
    async with tasks.translator() as translator:
        await translator.languages()
        found = await asyncio.gather(
            *(
                translator.translate(f"{n}", origin="en", target="de")
                for n in range(MOST_TASKS + MOST_WAITING + 5)
            ),
            return_exceptions=True,
        )
        # One that waited while none was free counts as waiting no more once it has its turn.
        assert await translator.translate("x", origin="en", target="de") == "X"
        await asyncio.sleep(1)

    refused = [text for text in found if isinstance(text, TranslationError)]
    assert len(refused) == 5
    assert "too many" in str(refused[0])
    # A task is deleted a moment after its turn is over.
    assert MOST_TASKS <= tasks.most <= 2 * MOST_TASKS


@pytest.mark.parametrize(
    ("end", "fault", "expected"),
    [
        ("schedule", AnswerError(412), TranslationUnavailableError),
        ("schedule", AnswerError(429), TranslationError),
        ("schedule", AnswerError(400), TranslationError),
        ("schedule", NextcloudError("away"), TranslationError),
        ("1", AnswerError(404), TranslationError),
        ("1", NextcloudError("away"), TranslationError),
        ("tasktypes", NextcloudError("away"), TranslationError),
        ("tasktypes", AnswerError(401), TranslationError),
    ],
)
async def test_faults(end: str, fault: NextcloudError, expected: type[Exception]) -> None:
    """Each is one that readers survive, and none tells what was said."""
    tasks = Tasks(faults={end: fault})
    async with tasks.translator() as translator:
        with pytest.raises(expected) as found, capture_logs() as logs:
            await translator.translate(SPEECH, origin="en", target="de")
        await asyncio.sleep(1)

    assert type(found.value) is expected
    assert "swordfish" not in f"{found.value!r} {found.value.__cause__!r} {logs}"


async def test_provider_that_fails() -> None:
    """A text it cannot translate is one text less."""
    tasks = Tasks(status="STATUS_FAILED")
    async with tasks.translator() as translator:
        with pytest.raises(TranslationError, match="provider"):
            await translator.translate(SPEECH, origin="en", target="de")


async def test_lost_answers_are_survived() -> None:
    """Nextcloud may miss a question or two, in a row."""
    tasks, fault = Tasks(task_s=20.0), NextcloudError("away")
    async with tasks.translator() as translator:
        text = asyncio.create_task(translator.translate(SPEECH, origin="en", target="de"))
        await asyncio.sleep(5)
        asked = tasks.scripted.count("GET")
        tasks.faults["1"] = fault
        await until(lambda: tasks.scripted.count("GET") >= asked + MOST_LOST_POLLS - 1)
        del tasks.faults["1"]

        assert await text == SPEECH.upper()


async def test_endless_task_is_given_up() -> None:
    """Whatever the caller thinks."""
    tasks, loop = Tasks(task_s=1e9), asyncio.get_running_loop()
    async with tasks.translator() as translator:
        with pytest.raises(TranslationError, match="within"):
            await translator.translate(SPEECH, origin="en", target="de")
        await asyncio.sleep(1)

    assert loop.time() == TASK_WITHIN_S + 1
    assert not tasks.held


async def test_questions_get_rarer() -> None:
    """A minute of waiting costs Nextcloud some forty questions, a second of it five."""
    tasks = Tasks(task_s=1e9)
    async with tasks.translator() as translator:
        with suppress(TranslationError):
            await translator.translate(SPEECH, origin="en", target="de")

    assert 25 <= tasks.scripted.count("GET") <= 45


async def test_languages_are_asked_for_once() -> None:
    """A hundred texts need one list."""
    tasks = Tasks(task_s=0.0)
    async with tasks.translator() as translator:
        for _ in range(100):
            await translator.languages()

    assert tasks.scripted.count("GET", "tasktypes") == 1


async def test_provider_that_comes_later() -> None:
    """Whoever installs one need not restart anything."""
    tasks = Tasks(faults={"tasktypes": AnswerError(404)})
    tasks.scripted.answer = lambda _m, _p, _b: {"types": []}
    async with tasks.translator() as translator:
        with pytest.raises(TranslationUnavailableError, match="Install"):
            await translator.languages()
        tasks.scripted.answer = Tasks().scripted.answer
        await asyncio.sleep(30)

        assert set((await translator.languages()).targets) == {"de", "fr"}


async def test_provider_that_is_gone() -> None:
    """The list is forgotten with it."""
    tasks = Tasks()
    async with tasks.translator() as translator:
        await translator.languages()
        tasks.faults["schedule"] = AnswerError(412)
        with pytest.raises(TranslationUnavailableError):
            await translator.translate(SPEECH, origin="en", target="de")
        tasks.scripted.answer = lambda _m, _p, _b: {"types": []}

        with pytest.raises(TranslationUnavailableError):
            await translator.languages()


async def test_slow_list_is_not_waited_for() -> None:
    """Who asks for the languages gets an answer within 2.5 s."""
    tasks, loop = Tasks(), asyncio.get_running_loop()
    tasks.scripted.takes_s = 100.0
    async with tasks.translator() as translator:
        with pytest.raises(TranslationError):
            await translator.languages()

    assert loop.time() <= 2.5
