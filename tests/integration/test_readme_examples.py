"""The README's examples run as they stand, and give what it shows."""

import asyncio
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from tests.support.service_process import service

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SECTION = "## Over HTTP"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIES = re.compile(r"\b[0-9a-f]{32}\b|\b\d+:\d\d(:\d\d)?([.,]\d+)?\b|(?<=\":)\d+\.\d+\b")
"""Ids, times, and figures in JSON."""

ALIKE = 0.85
"""How much of an output may be as the README shows it at least: on other processors the engine may
hear a word differently."""


@dataclass(frozen=True, slots=True)
class Example:
    """Commands, and what the README shows below them; empty where it shows nothing."""

    commands: str
    shown: str


def examples() -> list[Example]:
    """Return the section's."""
    text = README.read_text(encoding="utf-8")
    begin = text.index(f"\n{SECTION}\n") + 1
    end = text.find("\n## ", begin)
    blocks = _BLOCK.findall(text[begin : end if end > 0 else None])
    found = []
    for number, (kind, body) in enumerate(blocks):
        if kind == "sh":
            after = blocks[number + 1] if number + 1 < len(blocks) else ("sh", "")
            found.append(Example(body, after[1] if not after[0] else ""))
    return found


def likeness(one: str, other: str) -> float:
    """Return how alike two outputs are, word by word; ids and times count as such only."""
    left, right = (_VARIES.sub("#", text).split() for text in (one, other))
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


def run(folder: Path, found: list[Example], url: str) -> list[str]:
    """Run all commands in one shell, as if typed one after the other; return what each printed.

    The folder looks like a clone, so that what they write does not go into ours.
    """
    for name in ("livebot", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    script = "".join(f"exec >{n}.out\n{each.commands}" for n, each in enumerate(found))
    done = subprocess.run(
        ["bash", "-eu"],
        input=script,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LIVEBOT": url},
        stderr=subprocess.PIPE,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [(folder / f"{number}.out").read_text() for number in range(len(found))]


@pytest.mark.timeout(300)
async def test_examples_do_what_the_readme_shows(tmp_path: Path) -> None:
    """All of them, with curl and jq, against a real service with its embedded engine."""
    missing = [name for name in ("curl", "jq") if shutil.which(name) is None]
    assert not missing, f"apt-get install {' '.join(missing)}"
    found = await asyncio.to_thread(examples)
    assert len(found) >= 5
    folder = tmp_path / "clone"
    await asyncio.to_thread(folder.mkdir)

    async with service(tmp_path) as served:
        printed = await asyncio.to_thread(run, folder, found, served.url)

    for example, text in zip(found, printed, strict=True):
        assert likeness(example.shown, text) >= ALIKE, f"{example.commands}\n{text}"
    picture = await asyncio.to_thread((folder / "jfk.svg").read_text)
    assert picture.startswith("<svg ")


def test_what_varies_is_alike_and_what_matters_is_not() -> None:
    """Ids and times; but neither words nor states."""
    one = '{"job_id":"f522b19ae1f04b39be4106b353e2c3c3","heard_s":11.0}\n00:00:01,192 canceled'
    assert likeness(one, one.replace("f522", "0000").replace("11.0", "9.5")) == 1.0
    assert likeness(one, one.replace("01,192", "02,000")) == 1.0
    assert likeness("canceled", "failed") < ALIKE
    assert likeness("final And so", "") < ALIKE
