"""A person with a real browser: headless Chromium with a recording as its microphone."""

import json
import secrets
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
    config = {
        "websocket": hpb.websocket,
        "helloUrl": hpb.hello_url,
        "room": room,
        "user": user,
        "ticket": hpb.ticket(user),
        "roomSession": secrets.token_hex(32),
        "sid": secrets.token_hex(8),
        "iceServers": [relay] if relay else [],
        "relay": relay is not None,
    }
    url = f"{hpb.nextcloud}/world/page.html?config={quote(json.dumps(config))}"
    argv = [
        "chromium",
        *_FLAGS,
        f"--use-file-for-fake-audio-capture={microphone}%noloop",
        f"--user-data-dir={folder}/profile",
        url,
    ]
    with Process("chromium", argv, folder=folder) as process:
        yield process
