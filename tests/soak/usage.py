"""What a program and the workers it started hold: memory, threads, open files, tasks."""

import socket
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Held:
    """What does not come and go: to be the same whenever nothing happens.

    Attributes:
        threads: Of the program and its workers.
        tasks: Of its event loop.
        udp: Sockets for media.
        tcp: Connections, and sockets that listen.
        pipes: To its workers.
        others: All other open files, its workers' included.
        workers: How many there are.
    """

    threads: int
    tasks: int
    udp: int
    tcp: int
    pipes: int
    others: int
    workers: int

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, f.name)} {f.name}" for f in fields(self))


@dataclass(frozen=True, slots=True)
class Usage:
    """One reading.

    Attributes:
        memory_mb: Of the program, in MiB, without what comes from files: of that every other
            program that uses the same libraries carries a part, and they come and go.
        workers_mb: Of its workers together.
        cpu_s: Processor time of all of them so far.
        held: See there.
    """

    memory_mb: float
    workers_mb: float
    cpu_s: float
    held: Held


def usage(pid: int, tasks: int) -> Usage:
    """Read what the program *pid* uses; *tasks* only itself can tell."""
    main = psutil.Process(pid)
    workers = main.children(recursive=True)
    every = [main, *workers]
    sockets = Counter(
        "udp" if c.type == socket.SOCK_DGRAM else "tcp" for c in main.net_connections("inet")
    )
    files = sum((_files(each.pid) for each in every), Counter())
    return Usage(
        memory_mb=_memory_mb(main),
        workers_mb=sum(map(_memory_mb, workers)),
        cpu_s=sum(sum(each.cpu_times()[:2]) for each in every),
        held=Held(
            threads=sum(each.num_threads() for each in every),
            tasks=tasks,
            udp=sockets["udp"],
            tcp=sockets["tcp"],
            pipes=files["pipe"],
            others=files.total() - files["pipe"] - sockets.total(),
            workers=len(workers),
        ),
    )


def _memory_mb(process: psutil.Process) -> float:
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    kib = {words[0]: int(words[1]) for line in lines[1:] if (words := line.split())}
    return (kib["Pss_Anon:"] + kib["SwapPss:"]) / 1024


def _files(pid: int) -> "Counter[str]":
    """Count the open files of a process by kind, `socket` and `pipe` among them."""
    found: Counter[str] = Counter()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found[str(entry.readlink()).partition(":")[0]] += 1
    return found
