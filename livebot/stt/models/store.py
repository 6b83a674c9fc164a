"""A folder of downloaded files: what belongs in it, and whether it is still what came.

All of this blocks: it is called from threads. Next to the files lies a record of their sizes
and checksums, written last: without it a folder counts as not there.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

RECORD = "livebot-model.json"
PART = ".part"

_BLOCK = 1 << 20


class Kept(msgspec.Struct, frozen=True):
    """A file as it came.

    Attributes:
        size: Bytes.
        sha256: Of its content, in hex.
        changed_ns: When it was last changed; one that was not changed is not read again.
    """

    size: int
    sha256: str
    changed_ns: int


class Record(msgspec.Struct, frozen=True):
    """What came.

    Attributes:
        repository: From where.
        revision: Which version of it; empty where the source knows none.
        files: By name.
    """

    repository: str
    revision: str
    files: dict[str, Kept]


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a file should be.

    Attributes:
        hex: The sum.
        git: Whether it is git's of a blob (SHA-1); else it is a plain SHA-256.
    """

    hex: str
    git: bool = False

    @classmethod
    def of_etag(cls, etag: str) -> "Checksum | None":
        """Return what the hub's entity tag says; None where it is no checksum."""
        text = etag.removeprefix("W/").strip('"').lower()
        if set(text) <= set("0123456789abcdef"):
            if len(text) == hashlib.sha256().digest_size * 2:
                return cls(text)
            if len(text) == hashlib.sha1(usedforsecurity=False).digest_size * 2:
                return cls(text, git=True)
        return None

    def fits(self, path: Path) -> bool:
        """Return whether a file has it."""
        if not self.git:
            return sha256(path) == self.hex
        found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        return _digest(path, found) == self.hex


def sha256(path: Path) -> str:
    """Return the checksum of a file's content."""
    return _digest(path, hashlib.sha256())


def _digest(path: Path, found: "hashlib._Hash") -> str:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def listing(folder: Path) -> frozenset[str]:
    """Return the names of the files in a folder that are not empty."""
    try:
        return frozenset(p.name for p in folder.iterdir() if p.is_file() and p.stat().st_size)
    except OSError:
        return frozenset()


def recorded(folder: Path) -> Mapping[str, Kept] | None:
    """Return the files of a folder whose record fits them; None where anything differs.

    A file that was changed, or copied, is read whole.
    """
    record = _read(folder)
    if record is None:
        return None
    fresh: dict[str, Kept] = {}
    for name, kept in record.files.items():
        found = _checked(folder / name, kept)
        if found is None:
            return None
        fresh[name] = found
    if fresh != record.files:
        # A folder that others own is good all the same.
        with suppress(OSError):
            _write(folder, Record(record.repository, record.revision, fresh))
    return fresh


def _checked(path: Path, kept: Kept) -> Kept | None:
    try:
        status = path.stat()
        if status.st_size != kept.size:
            return None
        if status.st_mtime_ns == kept.changed_ns:
            return kept
        fits = sha256(path) == kept.sha256
    except OSError:
        return None
    return Kept(kept.size, kept.sha256, status.st_mtime_ns) if fits else None


def record(folder: Path, repository: str, revision: str, names: Iterable[str]) -> None:
    """Write down that the folder is complete."""
    files = {name: _kept(folder / name) for name in names}
    _write(folder, Record(repository, revision, files))


def _kept(path: Path) -> Kept:
    status = path.stat()
    return Kept(status.st_size, sha256(path), status.st_mtime_ns)


def forget(folder: Path) -> None:
    """Make a folder count as incomplete; its files stay, and are checked before they are used."""
    (folder / RECORD).unlink(missing_ok=True)


def _read(folder: Path) -> Record | None:
    try:
        return msgspec.json.decode((folder / RECORD).read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _write(folder: Path, content: Record) -> None:
    part = folder / f"{RECORD}.{os.getpid()}{PART}"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(content)))
    part.replace(folder / RECORD)


def free_bytes(folder: Path) -> int:
    """Return how much room there is."""
    return shutil.disk_usage(folder).free


def part_of(folder: Path, name: str, tag: str) -> Path:
    """Return where a file lies while it comes; parts of what it was before are removed.

    Args:
        folder: Where it will be.
        name: What it will be called.
        tag: In hex; differs where the content does.
    """
    part = folder / f"{name}.{tag}{PART}"
    for other in folder.glob(f"{name}.{'[0-9a-f]' * len(tag)}{PART}"):
        if other != part:
            other.unlink()
    return part


def size_of(path: Path) -> int:
    """Return a file's bytes; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def append(path: Path, block: bytes, *, at: int) -> None:
    """Write a block at the end, which is at `at`: what lies behind it is cut off."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(at)
        file.seek(at)
        file.write(block)


def settle(part: Path, target: Path) -> None:
    """Let a part that is whole be the file, also after the power fails."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
