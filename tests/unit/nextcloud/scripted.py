"""A Nextcloud without a network: answers as told, slow as told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class ScriptedOcs:
    """Answers questions.

    Attributes:
        answer: Returns what comes back for a method, a path and a body, or raises.
        takes_s: How long each answer takes.
        asked: Method and path of each question.
        bodies: What was sent with each.
        at_once: Questions under way.
        most_at_once: ... at most.
    """

    answer: Callable[[str, str, object], object]
    takes_s: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        within_s: float = 10.0,  # noqa: ARG002 - the scripted one is as slow as it is told to be
    ) -> object:
        """Answer as told."""
        self.asked.append((method, path))
        self.bodies.append(body)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
            return self.answer(method, path, body)
        finally:
            self.at_once -= 1

    def count(self, method: str, end: str = "") -> int:
        """Return how many questions of a method there were, to paths that end so."""
        return sum(m == method and p.endswith(end) for m, p in self.asked)
