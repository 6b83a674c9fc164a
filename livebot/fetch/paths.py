"""Files of this machine that others may name: those below allowed folders, and no others.

A path is judged by where it leads: symbolic links and `..` are followed first, and what is
returned has none. Who may write into an allowed folder is trusted not to change it meanwhile.
"""

import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from livebot.errors import FetchError

SETTING = "LT_ALLOWED_PATHS"

MAX_PATH = 4096


def allowed_file(text: str, folders: Sequence[Path]) -> Path:
    """Return the file that a path or a `file:` URL names; looks at the disk.

    Args:
        text: As somebody else gave it.
        folders: What lies below them may be read.

    Raises:
        FetchError: It may not be read, or is no file. Of what is not below an allowed folder,
            nobody learns whether it exists.
    """
    if not folders:
        raise FetchError(
            f"files of this machine are not read: {SETTING} names the folders to read"
        )
    path = _path(text)
    try:
        found = path.resolve()
        roots = [folder.resolve() for folder in folders]
    except (OSError, RuntimeError, ValueError) as exc:
        raise _outside() from exc
    if not any(found.is_relative_to(root) for root in roots):
        raise _outside()
    try:
        mode = found.stat().st_mode
    except OSError as exc:
        raise FetchError(f"the file cannot be read ({exc.strerror}): check the path") from exc
    if not stat.S_ISREG(mode):
        raise FetchError("the path is no file: name one recording")
    return found


def _path(text: str) -> Path:
    if len(text) > MAX_PATH or "\0" in text or not text:
        raise FetchError(f"the path is empty, or longer than {MAX_PATH} characters")
    if not text.lower().startswith("file:"):
        return Path(text)
    try:
        parts = urlsplit(text)
        name = unquote_to_bytes(parts.path).decode()
    except ValueError as exc:
        raise FetchError("the file: address cannot be read: give one like file:///a/b") from exc
    if parts.netloc not in ("", "localhost") or not name.startswith("/") or "\0" in name:
        raise FetchError("the file: address cannot be read: give one like file:///a/b")
    return Path(name)


def _outside() -> FetchError:
    return FetchError(f"the file is not below a folder that {SETTING} names")
