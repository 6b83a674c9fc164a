"""Recorded conversations as lists of what happened; see `tests/data/signaling/README.md`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "signaling"
RECORDINGS = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a recording: `direction` is `<` (received), `>` (sent) or `-` (a note)."""

    at: float
    direction: str
    message: Any

    @property
    def is_connected(self) -> bool:
        """Whether a new socket begins here."""
        return self.direction == "-" and self.message == "connected"

    @property
    def is_closed(self) -> bool:
        """Whether the socket ended here."""
        return self.direction == "-" and str(self.message).startswith("closed")


def load(name: str) -> list[Line]:
    """Read one recording."""
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    return [Line(line["t"], line["dir"], line["msg"]) for line in found]
