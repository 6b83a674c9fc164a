"""Where the service keeps what it keeps, and with which rights."""

import os
from pathlib import Path

from livebot.errors import StoreError
from livebot.settings import Settings

PRIVATE = 0o700
"""Folders are the service's user's alone: what people said is in them,"""

PRIVATE_FILE = 0o600
"""and so are files."""


def data_dir(settings: Settings) -> tuple[Path, bool]:
    """Return the folder for data, and whether it was named in the settings."""
    if named := settings.data_dir or settings.state_dir:
        return named, True
    home = os.environ.get("XDG_DATA_HOME", "")
    folder = Path(home) if home.startswith("/") else Path.home() / ".local" / "share"
    return folder / "livebot", False


def make_folder(folder: Path) -> None:
    """Make a folder that nobody else may enter, and check that files can be written there.

    Raises:
        StoreError: That does not work.
    """
    try:
        folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as exc:
        raise StoreError(_cure(folder, exc.strerror or "it cannot be made")) from None
    if not writable:
        raise StoreError(_cure(folder, "it may not be written"))


def make_file(file: Path) -> None:
    """Make an empty file that nobody else may read, where there is none yet.

    Raises:
        StoreError: That does not work.
    """
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, PRIVATE_FILE))
    except OSError as exc:
        raise StoreError(_cure(file, exc.strerror or "it cannot be made")) from None


def _cure(path: Path, reason: str) -> str:
    return f"{path} cannot be used ({reason.lower()}): name another folder in LT_DATA_DIR"
