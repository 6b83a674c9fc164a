"""Janus with its video room, over WebSocket, on the world's own address."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.world.namespace import ADDRESS
from tests.system.world.process import Process, WorldError, free_port, server

_JANUS = """\
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  debug_level = 4
}}
certificates: {{
{certificates}
}}
nat: {{
  full_trickle = true
  ice_enforce_list = "{address}"
  ignore_mdns = true
}}
"""
# Not "127.0.0.1": that would silently gather on every other address.

_WEBSOCKETS = """\
general: {{ ws = true, ws_ip = "127.0.0.1", ws_port = {port} }}
admin: {{ admin_ws = false }}
"""


@contextmanager
def janus(folder: Path, *, rsa: bool = False) -> Iterator[tuple[Process, int]]:
    """Run Janus; give it and the port of its WebSocket.

    Args:
        folder: An empty folder of its own.
        rsa: Whether it presents an RSA certificate, as many real ones do, instead of the
            ECDSA one it makes itself.
    """
    folder.mkdir()
    _link(folder / "plugins", "plugins/libjanus_videoroom.so")
    _link(folder / "transports", "transports/libjanus_websockets.so")
    (folder / "none").mkdir()
    port = free_port()
    certificates = _rsa_certificate(folder) if rsa else ""
    (folder / "janus.jcfg").write_text(
        _JANUS.format(folder=folder, certificates=certificates, address=ADDRESS)
    )
    (folder / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port))
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
    argv = ["janus", f"--configs-folder={folder}", f"--config={folder}/janus.jcfg"]
    with server(Process("janus", argv, folder=folder), port) as process:
        yield process, port


def _link(folder: Path, library: str) -> None:
    """Let Janus load *library* alone: it loads whatever its folder holds."""
    folder.mkdir()
    found = sorted(Path("/usr/lib").glob(f"*/janus/{library}"))
    if not found:
        raise WorldError(f"no {library} in Debian's package janus")
    (folder / found[0].name).symlink_to(found[0])


def _rsa_certificate(folder: Path) -> str:
    key, cert = folder / "rsa.key", folder / "rsa.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=janus.test", "-keyout", key, "-out", cert],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return f'  cert_pem = "{cert}"\n  cert_key = "{key}"'
