"""A person with a real browser: headless Chromium with a recording as its microphone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.system.world.hpb import Hpb
from tests.system.world.process import Process
from tests.system.world.recording import Recording, write
from tests.system.world.turn import IceServer

LEAD_S = 3.0
"""Silence before the recording: the microphone plays from the moment the page asks for it."""

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)  # fmt: skip


@contextmanager
def browser(
    folder: Path,
    hpb: Hpb,
    room: str,
    user: str,
    says: Recording,
    *,
    relay: IceServer | None = None,
) -> Iterator[Process]:
    """Open the call of *room* in Chromium as *user*, who says something after `LEAD_S`.

    Args:
        folder: A folder that is not there yet.
        hpb: Where the call is.
        room: Its token.
        user: Their name.
        says: What the microphone hears, once.
        relay: The TURN server that all their media goes through, if it must.
    """
    folder.mkdir()
    microphone = folder / "microphone.wav"
    write(microphone, says.sound, silence_before_s=LEAD_S)
    argv = argv_of(folder, microphone, page_url(hpb, room, user, relay))
    with Process("chromium", argv, folder=folder) as process:
        yield process


def page_url(hpb: Hpb, room: str, user: str, relay: IceServer | None = None) -> str:
    """Return the address of the page in which *user* speaks; see `browser()`."""
    config = {
        "websocket": hpb.websocket,
        "helloUrl": hpb.hello_url,
        "room": room,
        "user": user,
        "ticket": hpb.ticket(user),
        "iceServers": [relay] if relay else [],
        "relay": relay is not None,
    }
    return f"{hpb.nextcloud}/world/page.html?config={quote(json.dumps(config))}"


def argv_of(folder: Path, microphone: Path, url: str) -> list[str]:
    """Return Chromium's command line, with a WAV file as its microphone."""
    return [
        "chromium",
        *_FLAGS,
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        f"--user-data-dir={folder}/profile",
        "--remote-debugging-port=0",
        url,
    ]
