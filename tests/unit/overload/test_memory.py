"""Tests of `livebot.overload.memory`."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from livebot.overload import memory

GIB = 1 << 30


def groups(folder: Path, lines: str, **limits: str) -> tuple[Path, Path]:
    """Write what a kernel shows: the process's groups, and limits by file."""
    (folder / "cgroup").write_text(lines)
    for name, text in limits.items():
        file = folder / "fs" / name.replace("__", "/").replace("_max", ".max")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder / "cgroup", folder / "fs"


@pytest.mark.parametrize(
    ("lines", "limits", "expected"),
    [
        ("0::/\n", {"memory_max": f"{GIB}\n"}, 870.4),
        ("0::/a/b\n", {"a__b__memory_max": "max\n", "a__memory_max": f"{GIB}\n"}, 870.4),
        ("0::/a\n", {"a__memory_max": f"{4 * GIB}\n", "memory_max": f"{GIB}\n"}, 870.4),
        ("0::/\n", {"memory_max": "max\n"}, math.inf),
        ("0::/\n", {}, math.inf),
        ("", {}, math.inf),
        (
            "5:cpu,memory:/docker/x\n0::/\n",
            {"memory__memory.limit_in_bytes": f"{2 * GIB}\n"},
            1740.8,
        ),
        (
            "4:memory:/x\n",
            {"memory__x__memory.limit_in_bytes": "9223372036854771712\n"},
            math.inf,
        ),
        ("4:cpu:/x\n", {"memory__memory.limit_in_bytes": f"{GIB}\n"}, math.inf),
    ],
)
def test_limit(tmp_path: Path, lines: str, limits: dict[str, str], expected: float) -> None:
    """The tightest limit of the groups around the process counts; none is none."""
    assert memory.limit_mb(*groups(tmp_path, lines, **limits)) == pytest.approx(expected)


def test_no_control_groups(tmp_path: Path) -> None:
    """A kernel without them sets no limit."""
    assert memory.limit_mb(tmp_path / "none", tmp_path) == math.inf


def test_children_count() -> None:
    """What a worker process uses is the service's."""
    code = "x = b'x' * (80 << 20); print('ready', flush=True); input()"
    before = memory.used_mb()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = memory.used_mb()
        child.communicate(b"\n")

    assert before > 10
    assert during - before > 75
