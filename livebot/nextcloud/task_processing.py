"""Nextcloud's TaskProcessing: what is sent and what comes back (pure).

nextcloud/server, TaskProcessingApiController. PHP writes an empty map as `[]`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from livebot.errors import TranslationError
from livebot.translator import TranslationLanguages

ROOT = "/ocs/v2.php/taskprocessing/tasks_consumer"
"""For apps, where there is no user (server #57395, Nextcloud 33) ..."""

OLD_ROOT = "/ocs/v2.php/taskprocessing"
"""... and before that, for everybody; but tasks without a user cannot be deleted there."""

TYPE = "core:text2text:translate"

DETECT = "detect_language"
"""The origin of providers that find out themselves."""

MOST_LANGUAGES = 1000
MOST_NAME = 100
MOST_TEXT = 10_000
"""Characters of a translation: a caption has some hundred, and readers' outboxes hold many."""


class State(Enum):
    """How a task is doing."""

    WAITS = "waits"
    DONE = "done"
    FAILED = "failed"


_STATES = {
    "STATUS_SUCCESSFUL": State.DONE,
    "STATUS_FAILED": State.FAILED,
    "STATUS_CANCELLED": State.FAILED,
}


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        number: Nextcloud's id for it.
        state: How it is doing.
        output: What came out; empty until it is done. It is speech: not for logs.
    """

    number: int
    state: State
    output: str = ""

    def __repr__(self) -> str:
        return f"Task({self.number}, {self.state})"


def schedule(text: str, origin: str, target: str, app_id: str) -> dict[str, object]:
    """Return the request for a translation."""
    return {
        "type": TYPE,
        "appId": app_id,
        "input": {"input": text, "origin_language": origin, "target_language": target},
    }


def task(data: object) -> Task:
    """Read how a task is doing.

    Raises:
        TranslationError: It is no task, or one that is done without a text of a sensible length.
    """
    match data:
        case {"task": {"id": int(number), "status": str(status), **rest}}:
            state = _STATES.get(status, State.WAITS)
        case _:
            raise TranslationError("Nextcloud's answer about a translation is not understood")
    if state is not State.DONE:
        return Task(number, state)
    match rest.get("output"):
        case {"output": str(output)} if len(output) <= MOST_TEXT:
            return Task(number, state, output)
        case _:
            raise TranslationError("Nextcloud's translation has no text, or too long a one")


def languages(data: object) -> TranslationLanguages | None:
    """Read what can be translated; None where nothing can."""
    match data:
        case {"types": {"core:text2text:translate": {"inputShapeEnumValues": dict(values)}}}:
            found = TranslationLanguages(
                _names(values.get("origin_language")), _names(values.get("target_language"))
            )
            return found if found.origins and found.targets else None
        case _:
            return None


def _names(values: object) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for value in values[:MOST_LANGUAGES] if isinstance(values, list) else ():
        match value:
            case {"name": str(name), "value": str(code)} if 0 < len(code) <= MOST_NAME:
                names[code] = name[:MOST_NAME]
            case _:
                pass
    return names


def find(language: str, known: Mapping[str, str]) -> str | None:
    """Return how a provider writes a language: `pt-BR` may be `pt_BR` there, or only `pt`."""
    plain = {code.lower().replace("_", "-"): code for code in known}
    wanted = language.lower().replace("_", "-")
    return plain.get(wanted) or plain.get(wanted.partition("-")[0])
