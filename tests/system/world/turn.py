"""coturn, over UDP and TCP, that relays on the world's own address."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

from tests.system.world.namespace import ADDRESS
from tests.system.world.process import Process, WorldError, free_port, server

Transport = Literal["udp", "tcp"]

_USAGE = re.compile(r": usage: .*username=<\w+>.* rb=(\d+), sp=\d+, sb=(\d+)")
_GONE_WITHIN_S = 10.0
_POLL_S = 0.05

_USERNAME = "talk"
_CREDENTIAL = "turn-credential-of-the-test"


class IceServer(TypedDict):
    """One entry of `turnServers` and of a browser's `iceServers`."""

    urls: list[str]
    username: str
    credential: str


@dataclass(frozen=True, slots=True)
class Turn:
    """How to reach the TURN server.

    Attributes:
        process: The server.
        port: Where it listens, for both transports.
    """

    process: Process
    port: int

    def ice_server(self, transport: Transport) -> IceServer:
        """Return its entry for one transport; clients use the first URL of a list only."""
        return {
            "urls": [f"turn:127.0.0.1:{self.port}?transport={transport}"],
            "username": _USERNAME,
            "credential": _CREDENTIAL,
        }

    async def carried(self, clients: int) -> list[int]:
        """Return how many bytes it has carried for each client that is gone.

        Args:
            clients: Wait until so many are gone.

        Raises:
            WorldError: They stay.
        """
        deadline = time.monotonic() + _GONE_WITHIN_S
        while len(found := _USAGE.findall(self._log())) < clients:
            if time.monotonic() > deadline:
                raise WorldError(f"{len(found)} clients are gone from TURN, not {clients}")
            await asyncio.sleep(_POLL_S)
        return [int(received) + int(sent) for received, sent in found]

    def connections(self) -> int:
        """Return how many clients have come over TCP so far."""
        return self._log().count("tcp or tls connected to")

    def _log(self) -> str:
        return self.process.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def turn(folder: Path) -> Iterator[Turn]:
    """Run coturn with long-term credentials."""
    folder.mkdir()
    port = free_port()
    argv = [
        "turnserver", "-n",
        "--listening-ip=127.0.0.1", f"--listening-port={port}",
        # A relay on 127.0.0.1 is never answered by Janus.
        f"--relay-ip={ADDRESS}",
        "--lt-cred-mech", "--realm=talk.test", f"--user={_USERNAME}:{_CREDENTIAL}",
        # What the double of Nextcloud tells its app.
        "--user=account:turn-secret",
        "--no-tls", "--no-dtls", "--no-cli", "--fingerprint", "--verbose",
        f"--userdb={folder}/turndb", f"--pidfile={folder}/turn.pid",
        "--log-file=stdout", "--simple-log",
    ]  # fmt: skip
    with server(Process("turn", argv, folder=folder), port) as process:
        yield Turn(process, port)
