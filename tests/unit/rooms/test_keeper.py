"""Tests of `livebot.rooms.keeper`, with a real folder and a disk that fails on request."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from livebot.ids import RoomToken
from livebot.metrics import Metrics
from livebot.rooms import keeper as module
from livebot.rooms.keeper import Keeper
from livebot.rooms.state import FILE, SET_ASIDE, StateFile
from livebot.rooms.wanted import WantedRoom
from tests.support.waiting import until

ROOMS = [WantedRoom(RoomToken(f"room{number}"), "en") for number in range(50)]


class Disk:
    """Stands before the real `StateFile.save`; fails while `is_full`, waits while held."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.free = threading.Event()
        self.free.set()
        self.saves: list[int] = []
        self.at_once = 0
        self.threads: set[threading.Thread] = set()
        real = StateFile.save

        def save(file: StateFile, rooms: Iterable[WantedRoom]) -> None:
            self.at_once += 1
            assert self.at_once == 1
            rooms = tuple(rooms)
            self.threads.add(threading.current_thread())
            self.saves.append(len(rooms))
            self.free.wait(10)
            self.at_once -= 1
            if self.is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/a/path")
            real(file, rooms)

        monkeypatch.setattr(StateFile, "save", save)

    async def asked(self, times: int) -> None:
        """Wait until it was asked to save so many times."""
        await until(lambda: len(self.saves) >= times)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return what the keeper writes to."""
    return Disk(monkeypatch)


def errors(metrics: Metrics, kind: str) -> float:
    """Return how many faults were counted."""
    return (
        metrics.registry.get_sample_value(
            "transcription_errors_total", {"component": "state", "type": kind}
        )
        or 0.0
    )


async def test_the_next_run_finds_the_rooms(tmp_path: Path) -> None:
    """The last change is written on leaving, however soon that comes."""
    async with Keeper(tmp_path, Metrics()) as keeper:
        assert keeper.found == ()
        keeper.keep(ROOMS)
        keeper.keep(ROOMS[:2])

    async with Keeper(tmp_path, Metrics()) as keeper:
        assert keeper.found == tuple(ROOMS[:2])


async def test_the_first_change_is_written_at_once(tmp_path: Path) -> None:
    """It survives a KILL that comes a moment later: nothing waits for a second change."""
    async with Keeper(tmp_path, Metrics()) as keeper:
        keeper.keep(ROOMS[:1])
        await until((tmp_path / FILE).exists, deadline_s=module.EVERY_S + 2)
        found = await asyncio.to_thread(StateFile(tmp_path).load)

    assert found == (ROOMS[0],)


async def test_changes_one_after_the_other_are_all_written(tmp_path: Path, disk: Disk) -> None:
    """None waits for the next, and having nothing more to write does not hold up the end."""
    async with asyncio.timeout(module.RETRY_S / 2), Keeper(tmp_path, Metrics()) as keeper:
        for number in range(1, 4):
            keeper.keep(ROOMS[:number])
            await disk.asked(number)
        # Until it waits for a change that does not come.
        await asyncio.sleep(2 * module.EVERY_S)

    assert disk.saves == [1, 2, 3]


async def test_a_slow_disk_gets_the_latest_only(tmp_path: Path, disk: Disk) -> None:
    """Fifty changes while it writes are one more write, in order and off the loop."""
    async with Keeper(tmp_path, Metrics()) as keeper:
        disk.free.clear()
        keeper.keep(ROOMS[:1])
        await disk.asked(1)
        for number in range(2, 51):
            keeper.keep(ROOMS[:number])
        disk.free.set()

    assert disk.saves == [1, 50]
    assert threading.main_thread() not in disk.threads
    assert len(await asyncio.to_thread(StateFile(tmp_path).load)) == 50


async def test_a_full_disk_is_told_counted_and_tried_again(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service goes on; the trouble ends by itself, without another change."""
    monkeypatch.setattr(module, "RETRY_S", 0.05)
    metrics = Metrics()
    disk.is_full = True
    with capture_logs() as logged:
        async with Keeper(tmp_path, metrics) as keeper:
            keeper.keep(ROOMS)
            await disk.asked(3)
            assert keeper.troubles == ["rooms would be lost at a restart: No space left on device"]
            disk.is_full = False
            await until(lambda: not keeper.troubles)

    assert errors(metrics, "write") >= 2
    assert [line["event"] for line in logged] == ["state_not_written"]
    assert len(await asyncio.to_thread(StateFile(tmp_path).load)) == 50


async def test_a_full_disk_does_not_hold_up_the_end(tmp_path: Path, disk: Disk) -> None:
    """Leaving tries once more, and leaves."""
    disk.is_full = True
    async with asyncio.timeout(module.RETRY_S / 2), Keeper(tmp_path, Metrics()) as keeper:
        keeper.keep(ROOMS)
        await until(lambda: keeper.troubles)

    assert len(disk.saves) == 2


async def test_a_broken_file_is_kept_and_told(tmp_path: Path) -> None:
    """The service starts without the rooms, says so, and the file can be looked at."""
    await asyncio.to_thread((tmp_path / FILE).write_text, "hunter2")
    metrics = Metrics()
    with capture_logs() as logged:
        async with Keeper(tmp_path, metrics) as keeper:
            assert keeper.found == ()
            (trouble,) = keeper.troubles
            assert trouble.startswith("the rooms of the last run are lost: rooms.json is not JSON")
            assert SET_ASIDE in trouble
            keeper.keep(ROOMS)

    assert errors(metrics, "read") == 1
    assert [line["event"] for line in logged] == ["state_not_read"]
    assert "hunter2" not in str(logged)
    assert await asyncio.to_thread((tmp_path / SET_ASIDE).read_text) == "hunter2"
    assert len(await asyncio.to_thread(StateFile(tmp_path).load)) == 50


async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """Where a file is in the way of the folder, both faults are told and nothing breaks."""
    await asyncio.to_thread((tmp_path / "file").touch)
    async with Keeper(tmp_path / "file" / "state", Metrics()) as keeper:
        keeper.keep(ROOMS)
        await until(lambda: len(keeper.troubles) == 2)

    assert keeper.troubles[0].endswith("rooms.json cannot be read (Not a directory)")


async def test_without_a_folder_nothing_is_kept() -> None:
    """Who does not set it has no file and no trouble."""
    async with Keeper(None, Metrics()) as keeper:
        keeper.keep(ROOMS)

    assert (keeper.found, keeper.troubles) == ((), [])
