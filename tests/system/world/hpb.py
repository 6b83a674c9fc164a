"""The high-performance backend as one piece: Janus, signaling server, Nextcloud's stand-in."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.system.world.backend import OCS_PATH, ticket
from tests.system.world.janus import janus
from tests.system.world.process import Process, free_port, server
from tests.system.world.signaling import SignalingConfig, signaling

_ROOT = Path(__file__).parents[3]
_BACKEND_SECRET = "the-secret-of-nextcloud-and-signaling-server"


@dataclass(frozen=True, slots=True)
class Hpb:
    """Where everything is.

    Attributes:
        signaling_port: Of the signaling server.
        backend_port: Of Nextcloud's stand-in.
        internal_secret: For bots.
        janus_port: Of Janus' WebSocket.
        processes: By name: nextcloud, janus, signaling.
    """

    signaling_port: int
    backend_port: int
    janus_port: int
    processes: dict[str, Process]
    internal_secret: str = "the-internal-secret-of-the-signaling-server"

    @property
    def url(self) -> str:
        """Return what an administrator would write into `LT_HPB_URL`."""
        return f"http://127.0.0.1:{self.signaling_port}"

    @property
    def websocket(self) -> str:
        """Return where people's pages connect."""
        return f"ws://127.0.0.1:{self.signaling_port}/spreed"

    @property
    def nextcloud(self) -> str:
        """Return the base URL of Nextcloud's stand-in."""
        return f"http://127.0.0.1:{self.backend_port}"

    @property
    def hello_url(self) -> str:
        """Return what a person's hello names as the backend."""
        return self.nextcloud + OCS_PATH

    def ticket(self, user: str) -> str:
        """Return what lets *user* in."""
        return ticket(user, _BACKEND_SECRET)


@contextmanager
def hpb(folder: Path, *, rsa: bool = False) -> Iterator[Hpb]:
    """Run the three servers; see `janus()` for *rsa*."""
    folder.mkdir()
    found = Hpb(free_port(), free_port(), janus_port=0, processes={})
    backend = [
        sys.executable, "-m", "tests.system.world.backend",
        "--port", str(found.backend_port),
        "--secret", _BACKEND_SECRET, "--signaling", found.url,
    ]  # fmt: skip
    with (
        server(Process("nextcloud", backend, folder=folder, cwd=_ROOT), found.backend_port) as nc,
        janus(folder / "janus", rsa=rsa) as (sfu, janus_port),
        signaling(
            folder / "signaling",
            SignalingConfig(
                port=found.signaling_port,
                internal_secret=found.internal_secret,
                backend_url=found.nextcloud,
                backend_secret=_BACKEND_SECRET,
                janus_url=f"ws://127.0.0.1:{janus_port}",
            ),
        ) as hub,
    ):
        processes = {"nextcloud": nc, "janus": sfu, "signaling": hub}
        yield replace(found, janus_port=janus_port, processes=processes)
