"""Tests of `livebot.stt.host.bounds`, in processes that may be bounded."""

import os
import subprocess
import sys

import pytest

MB = 1 << 20


def run(program: str) -> str:
    """Run it after the imports; return what it prints."""
    imports = "import os, resource\nfrom livebot.stt.host.bounds import *\n"
    done = subprocess.run(
        [sys.executable, "-c", imports + program], check=True, capture_output=True, timeout=30
    )
    return done.stdout.decode().strip()


@pytest.mark.parametrize(
    ("before", "wanted", "bound"), [(-1, 400, 400), (500, 400, 400), (300, 400, 300)]
)
def test_memory_is_bounded_where_it_may_be(before: int, wanted: int, bound: int) -> None:
    """A service manager may have set less than our settings say: that is no reason to fail."""
    most = before * MB if before > 0 else -1
    found = run(
        f"resource.setrlimit(resource.RLIMIT_DATA, ({most}, {most}))\n"
        f"bound_memory({wanted * MB})\n"
        "print(*resource.getrlimit(resource.RLIMIT_DATA))"
    )

    assert found == f"{bound * MB} {bound * MB}"


def test_cores_are_bounded_where_they_are_there() -> None:
    """A container may have lost some meanwhile."""
    core = min(os.sched_getaffinity(0))

    assert run(f"bound_cores([{core}]); print(os.sched_getaffinity(0))") == f"{{{core}}}"
    assert (
        run(
            "a = os.sched_getaffinity(0); bound_cores([1023])\nprint(a == os.sched_getaffinity(0))"
        )
        == "True"
    )
