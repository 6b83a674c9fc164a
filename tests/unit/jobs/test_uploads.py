"""Files of others on the disk."""

import asyncio
import fcntl
import os
import shutil
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import BusyError, RequestError, StoreError
from livebot.jobs import disk
from livebot.jobs.uploads import MOST_NAME, TooLargeError, Uploads, label


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    """Yield them."""
    for piece in given:
        yield piece


async def nothing_needed() -> frozenset[str]:
    """Need no file."""
    return frozenset()


@pytest.fixture
async def uploads(tmp_path: Path) -> Uploads:
    """Return a folder that takes 1 MB."""
    found = Uploads(tmp_path / "uploads", max_mb=1)
    await found.start()
    return found


def left(tmp_path: Path) -> list[Path]:
    """Return what is in the folder."""
    return sorted((tmp_path / "uploads").iterdir())


@given(st.text(max_size=600))
def test_a_label_can_be_shown(name: str) -> None:
    """On one line, without marks that change how the rest is read; never empty."""
    shown = label(name)

    assert 0 < len(shown) <= MOST_NAME
    assert shown.strip() == shown
    assert "/" not in shown
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in shown)
    shown.encode()


@given(st.from_regex(r"[a-z]{1,20}\.[a-z0-9]{3}", fullmatch=True))
def test_an_ordinary_name_is_its_label(name: str) -> None:
    """Whatever folder it was in."""
    assert label(name) == label(f"../{name}") == label(f"C:\\x\\{name}") == name


async def test_what_came_is_what_is_there(uploads: Uploads, tmp_path: Path) -> None:
    """Byte by byte, and nobody else may read it."""
    data = os.urandom(900_000)
    parts = [data[at : at + 7_001] for at in range(0, len(data), 7_001)]

    upload = await uploads.receive("../a.wav", pieces(*parts), size=len(data))

    assert (upload.name, upload.size) == ("a.wav", len(data))
    assert left(tmp_path) == [upload.path]
    assert await asyncio.to_thread(upload.path.read_bytes) == data
    await uploads.discard(upload.path)
    await uploads.discard(upload.path)
    assert left(tmp_path) == []


@pytest.mark.parametrize("size", [None, 2_000_000])
async def test_too_large(uploads: Uploads, tmp_path: Path, size: int | None) -> None:
    """By what is said of it, or by what comes."""
    with pytest.raises(TooLargeError, match="more than 1 MB: LT_UPLOAD_MAX_MB"):
        await uploads.receive("a", pieces(*[bytes(100_000)] * 11), size=size)
    assert left(tmp_path) == []


async def test_empty(uploads: Uploads, tmp_path: Path) -> None:
    """Nothing is no recording."""
    with pytest.raises(RequestError, match="empty"):
        await uploads.receive("a", pieces(b"", b""))
    assert left(tmp_path) == []


@pytest.mark.parametrize("fault", [RequestError("off"), ConnectionResetError(), ValueError()])
async def test_a_source_that_fails(uploads: Uploads, tmp_path: Path, fault: Exception) -> None:
    """Its own fault is told, and nothing is left."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"some"
        raise fault

    with pytest.raises(type(fault)):
        await uploads.receive("a", breaking())
    assert left(tmp_path) == []


@pytest.mark.parametrize("after", [0.0, 0.001, 0.005, 0.02])
async def test_who_gives_up_leaves_nothing(uploads: Uploads, tmp_path: Path, after: float) -> None:
    """Wherever it is then."""

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(10_000)
            await asyncio.sleep(0.001)

    task = asyncio.create_task(uploads.receive("a", slow()))
    await asyncio.sleep(after)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert left(tmp_path) == []


@pytest.mark.parametrize(("number", "kind"), [(28, BusyError), (122, BusyError), (5, StoreError)])
async def test_a_disk_that_fails(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int,
    kind: type[Exception],
) -> None:  # fmt: skip
    """Full, over quota, or broken; also where it says so only in the end."""

    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    for name in ("write_all", "create"):
        with monkeypatch.context() as patch:
            patch.setattr(disk, name, failing)
            with pytest.raises(kind):
                await uploads.receive("a", pieces(b"some"))
        assert left(tmp_path) == []
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(kind):
            await uploads.receive("a", pieces(b"some"))
    assert left(tmp_path) == []


async def test_no_folder(tmp_path: Path) -> None:
    """Where a file is in its place, that is told."""
    (tmp_path / "uploads").write_text("a file")

    with pytest.raises(StoreError, match="check LT_DATA_DIR"):
        await Uploads(tmp_path / "uploads", max_mb=1).start()
    assert await Uploads(tmp_path / "no", max_mb=1).is_full()


def test_room_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixed amount, less on small disks."""

    def disk_of(total: int, free: int) -> None:
        found = SimpleNamespace(total=total, free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: found)

    disk_of(1 << 40, 1 << 30)
    assert disk.free(tmp_path) == (1 << 30) - disk.SPARE_BYTES
    disk_of(100_000, 4_000)
    assert disk.free(tmp_path) == -1_000


async def test_only_left_overs_are_removed(uploads: Uploads, tmp_path: Path) -> None:
    """Not what is held, what a job needs, or what is no upload."""
    held = await uploads.receive("a", pieces(b"held"))
    needed = await uploads.receive("b", pieces(b"needed"))
    gone = await uploads.receive("c", pieces(b"gone"))
    for upload in (needed, gone):
        await uploads.release(upload.path)
    folder = tmp_path / "uploads"
    (folder / "note.txt").write_text("somebody's")
    (folder / ("d" * 32)).symlink_to(folder / "note.txt")
    other = Uploads(folder, max_mb=1)

    async def needs() -> frozenset[str]:
        return frozenset({str(needed.path)})

    assert await other.is_awaited(held.path)
    assert not await other.is_awaited(needed.path)
    assert not await other.is_awaited(folder / "missing")
    assert await other.clean(needs) == 1
    assert gone.path not in left(tmp_path)
    assert {held.path, needed.path, folder / "note.txt"} <= set(left(tmp_path))
    await uploads.release(held.path)
    assert await other.clean(needs) == 1
    assert held.path not in left(tmp_path)


async def test_many_left_overs(uploads: Uploads, tmp_path: Path) -> None:
    """Some at a time."""
    for number in range(200):
        (tmp_path / "uploads" / f"{number:032x}").write_bytes(b"x")

    assert await uploads.clean(nothing_needed) == 200
    assert left(tmp_path) == []


async def test_a_job_that_is_made_meanwhile_keeps_its_file(
    uploads: Uploads, tmp_path: Path
) -> None:
    """Who makes one holds the file until the job is known."""
    folder = tmp_path / "uploads"
    cleaner = Uploads(folder, max_mb=1)
    upload = await uploads.receive("a", pieces(b"some"))
    jobs: set[str] = set()

    async def needs() -> frozenset[str]:
        # It becomes a job just when the cleaner asks.
        jobs.add(str(upload.path))
        await uploads.release(upload.path)
        return frozenset(jobs)

    (folder / ("e" * 32)).write_bytes(b"x")
    await cleaner.clean(needs)
    await cleaner.clean(needs)

    assert left(tmp_path) == [upload.path]


def test_a_cleaner_that_is_faster_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a file's making and its lock it may be taken for a left-over."""
    path = tmp_path / disk.name()
    lock, tries = fcntl.flock, 0

    def late(number: int, how: int) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            path.unlink()
        elif tries == 2:
            raise BlockingIOError
        lock(number, how)

    monkeypatch.setattr(fcntl, "flock", late)
    number = disk.create(path)

    assert tries == 3
    assert os.fstat(number).st_ino == path.stat().st_ino
    os.close(number)

    def never(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", never)
    with pytest.raises(OSError, match="cannot be locked"):
        disk.create(tmp_path / disk.name())
    assert list(tmp_path.iterdir()) == [path]
