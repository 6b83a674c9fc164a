"""Ask the app whether it lives, where AppAPI looks for it; Docker's health check."""
# ruff: noqa: INP001 - a program, not a module

import http.client
import os
import socket

SOCKET = "/tmp/exapp.sock"  # noqa: S108 - HaRP's contract
WITHIN_S = 2.0


def connect() -> http.client.HTTPConnection:
    """Return a connection to the app: HaRP's socket, or AppAPI's port."""
    host = os.environ.get("APP_HOST", "127.0.0.1")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asked
    connection = http.client.HTTPConnection(
        host, int(os.environ.get("APP_PORT", "8080")), timeout=WITHIN_S
    )
    if os.environ.get("HP_SHARED_KEY"):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(WITHIN_S)
        connection.sock.connect(os.environ.get("HEALTHCHECK_SOCKET", SOCKET))
    return connection


connection = connect()
connection.request("GET", "/heartbeat")
if connection.getresponse().status != http.HTTPStatus.OK:
    raise SystemExit(1)
