"""coturn, over UDP and TCP, that relays on the world's own address."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from tests.system.world.namespace import ADDRESS
from tests.system.world.process import Process, free_port, server

Transport = Literal["udp", "tcp"]


class IceServer(TypedDict):
    """One entry of `turnServers` and of a browser's `iceServers`."""

    urls: list[str]
    username: str
    credential: str


@dataclass(frozen=True, slots=True)
class Turn:
    """How to reach the TURN server."""

    port: int
    username: str = "talk"
    credential: str = "turn-credential-of-the-test"

    def ice_server(self, transport: Transport) -> IceServer:
        """Return its entry for one transport; clients use the first URL of a list only."""
        return {
            "urls": [f"turn:127.0.0.1:{self.port}?transport={transport}"],
            "username": self.username,
            "credential": self.credential,
        }


@contextmanager
def turn(folder: Path) -> Iterator[Turn]:
    """Run coturn with long-term credentials."""
    folder.mkdir()
    found = Turn(free_port())
    argv = [
        "turnserver", "-n",
        "--listening-ip=127.0.0.1", f"--listening-port={found.port}",
        # A relay on 127.0.0.1 is never answered by Janus.
        f"--relay-ip={ADDRESS}",
        "--lt-cred-mech", "--realm=talk.test", f"--user={found.username}:{found.credential}",
        "--no-tls", "--no-dtls", "--no-cli", "--fingerprint", "--relay-threads=1",
        f"--userdb={folder}/turndb", f"--pidfile={folder}/turn.pid",
        "--log-file=stdout", "--simple-log",
    ]  # fmt: skip
    with server(Process("turn", argv, folder=folder), found.port):
        yield found
