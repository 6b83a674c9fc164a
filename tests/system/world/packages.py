"""What must be on the machine; said at once and with the cure, never skipped over."""

import os
import shutil

PROGRAMS = {
    "chromium": "chromium",
    "ip": "iproute2",
    "janus": "janus",
    "nextcloud-spreed-signaling-server": "nextcloud-spreed-signaling",
    "openssl": "openssl",
    "setpriv": "util-linux",
    "turnserver": "coturn",
}
"""Each program the world starts, and the Debian package it comes from."""


class MissingError(Exception):
    """The world cannot be built on this machine; the text says what to do."""


def require() -> None:
    """Look for everything the world needs.

    Raises:
        MissingError: Rights or packages are missing.
    """
    missing = sorted({PROGRAMS[name] for name in PROGRAMS if shutil.which(name) is None})
    if missing:
        raise MissingError(
            "the system tests need Debian packages: "
            f"apt-get install --no-install-recommends {' '.join(missing)}"
        )
    if os.geteuid() != 0:
        raise MissingError(
            "the system tests make a network namespace and need root: "
            "sudo .venv/bin/python -m pytest tests/system"
        )
