"""Debian's signaling server, with the one comparison mended that keeps people from publishing."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.system.world.process import Process, WorldError, server

_BINARY = Path("/usr/bin/nextcloud-spreed-signaling-server")
_SHA256 = "b8d15677d2847650c6b6e70d82b2c0866b9d66bce26af6f4cdfc0bea719dc581"
"""Version 0.4.1-4+b4 for amd64."""

_MENDING = (
    # The type that the assertion compares with: `[]byte`, to become `string`.
    (0x748B98, bytes.fromhex("64650b00"), bytes.fromhex("24530c00")),
    # The third word of a `[]byte` is its capacity. A string has two, and whatever lies behind
    # it would be taken for the capacity, which ends the server now and then: read the length.
    (0x748BBD, bytes.fromhex("10"), bytes.fromhex("08")),
)
"""Where, what is there, what should be."""

_CONFIG = """\
[http]
listen = 127.0.0.1:{port}

[sessions]
hashkey = 0123456789abcdef0123456789abcdef
blockkey = 0123456789abcdef

[clients]
internalsecret = {internal_secret}

[backend]
backends = nextcloud
timeout = 10
connectionsperhost = 8

[nextcloud]
url = {backend_url}
secret = {backend_secret}

[nats]
url = :loopback:

[mcu]
type = janus
url = {janus_url}
"""


@dataclass(frozen=True, slots=True)
class SignalingConfig:
    """What the signaling server must know."""

    port: int
    internal_secret: str
    backend_url: str
    backend_secret: str
    janus_url: str


@contextmanager
def signaling(folder: Path, config: SignalingConfig) -> Iterator[Process]:
    """Run the signaling server.

    Raises:
        WorldError: It is another build than the one we know how to mend.
    """
    folder.mkdir()
    conf = folder / "server.conf"
    conf.write_text(
        _CONFIG.format(
            port=config.port,
            internal_secret=config.internal_secret,
            backend_url=config.backend_url,
            backend_secret=config.backend_secret,
            janus_url=config.janus_url,
        )
    )
    argv = [str(mended(folder)), "-config", str(conf)]
    with server(Process("signaling", argv, folder=folder), config.port) as process:
        yield process


def mended(folder: Path) -> Path:
    """Copy Debian's server to *folder* so that people can publish; return the copy.

    Debian's patch for another version of the SDP library asserts that the `sdp` of an offer is
    a `[]byte`, which JSON never gives, and so refuses every offer.

    Raises:
        WorldError: It is another build: whether it needs mending, and where, is not known.
    """
    image = bytearray(_BINARY.read_bytes())
    found = hashlib.sha256(image).hexdigest()
    if found != _SHA256:
        raise WorldError(
            f"{_BINARY} is not Debian's 0.4.1-4+b4 for amd64 (sha256 {found}): "
            "the mending in tests/system/world/signaling.py must be looked at again"
        )
    for offset, broken, whole in _MENDING:
        place = slice(offset, offset + len(broken))
        if bytes(image[place]) != broken:
            raise WorldError(f"{_BINARY} does not hold the expected bytes at {offset:#x}")
        image[place] = whole
    copy = folder / "signaling-server"
    copy.write_bytes(image)
    shutil.copymode(_BINARY, copy)
    return copy
