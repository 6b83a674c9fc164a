"""How an engine host is (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostStatus:
    """How a host is.

    Attributes:
        running: Whether it was entered and its own model is loaded.
        healthy: Whether all its workers are there.
        restart_count: Workers started in the place of one that ended.
        model: Its own.
        language: What is spoken where nobody says.
        waiting: Files in line.
        working: Files in hand.
        models: All that are loaded.
        troubles: What is wrong, a line each.
    """

    running: bool
    healthy: bool
    restart_count: int
    model: str
    language: str
    waiting: int
    working: int
    models: tuple[str, ...]
    troubles: tuple[str, ...]
