"""What a process may use, as it sets for itself."""

import os
import resource
from collections.abc import Collection
from contextlib import suppress


def bound_memory(size: int) -> None:
    """Hold no more than so many bytes of data; a lower bound that is there already stays."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    bound = size if most == resource.RLIM_INFINITY else min(size, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))


def bound_cores(cpus: Collection[int]) -> None:
    """Run on these cores, unless they have been taken from us since they were chosen."""
    with suppress(OSError):
        os.sched_setaffinity(0, cpus)
