"""A folder of files, and whether they are still what came."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.stt.models import store
from livebot.stt.models.store import Checksum


@settings(max_examples=30)
@given(st.binary(max_size=99))
def test_checksums_are_those_of_the_hub(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """A file fits its own SHA-256 and git's SHA-1, and those of no other content."""
    path = tmp_path_factory.mktemp("sum") / "file"
    path.write_bytes(data)
    tags = [
        hashlib.sha256(data).hexdigest(),
        hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest(),
    ]

    for tag in tags:
        checksum = Checksum.of_etag(f'"{tag}"')
        assert checksum is not None
        assert checksum.fits(path)
        path.write_bytes(data + b"x")
        assert not checksum.fits(path)
        path.write_bytes(data)


@pytest.mark.parametrize(
    "etag", ["", '""', '"5f3-60a"', 'W/"abc"', '"' + "z" * 64 + '"', "a" * 32]
)
def test_what_is_no_checksum_is_none(etag: str) -> None:
    """A web server calls contents what it likes."""
    assert Checksum.of_etag(etag) is None


def test_a_weak_tag_is_the_same_checksum() -> None:
    """Whoever compresses on the way weakens it, and the content is the same."""
    assert Checksum.of_etag(f'W/"{"A" * 64}"') == Checksum("a" * 64)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"files": {}}', b"\xff", b'{"repository":1,"revision":"","files":{}}'],
)
def test_a_record_that_is_none_counts_for_nothing(tmp_path: Path, data: bytes) -> None:
    """Whatever is in it."""
    (tmp_path / store.RECORD).write_bytes(data)

    assert store.recorded(tmp_path) is None


def test_files_that_nobody_touched_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three gigabytes take seconds: only a file whose time has changed is read, once."""
    (tmp_path / "a").write_bytes(b"content")
    store.record(tmp_path, "o/r", "main", ["a"])
    read: list[Path] = []
    real = store.sha256

    def sha256(path: Path) -> str:
        read.append(path)
        return real(path)

    monkeypatch.setattr(store, "sha256", sha256)

    assert store.recorded(tmp_path)
    assert not read
    os.utime(tmp_path / "a", (1, 1))
    assert store.recorded(tmp_path)
    assert store.recorded(tmp_path)
    assert len(read) == 1


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 30), st.binary(min_size=1, max_size=9)), max_size=9))
def test_blocks_are_written_where_they_belong(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[tuple[int, bytes]]
) -> None:
    """What lies behind a block is cut off: it was never finished."""
    path = tmp_path_factory.mktemp("part") / "part"
    content = b""
    for where, block in blocks:
        at = min(where, len(content))
        store.append(path, block, at=at)
        content = content[:at] + block

    assert store.size_of(path) == len(content)
    assert not blocks or path.read_bytes() == content


def test_parts_of_other_contents_are_removed(tmp_path: Path) -> None:
    """They would never be finished; those of other files stay."""
    old = store.part_of(tmp_path, "model.bin", "0" * 16)
    other = store.part_of(tmp_path, "model.bin.index", "0" * 16)
    for path in (old, other):
        path.touch()

    new = store.part_of(tmp_path, "model.bin", "a" * 16)

    assert new != old
    assert not old.exists()
    assert other.exists()
