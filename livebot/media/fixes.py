"""What we change inside aiortc and aioice, and why; besides `receiver.py` nothing reaches in.

`tests/unit/media/test_contract.py` fails with a clear message when a new version moves what is
touched here.
"""

import asyncio
from typing import Any, cast

from aioice import Connection
from aioice.turn import TurnClientMixin
from aiortc.rtcdtlstransport import RTCCertificate
from OpenSSL import SSL

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
)
"""aiortc's own list, then the same for RSA."""

TURN_GOODBYE_S = 2.0
"""Three requests."""

_create_ssl_context = RTCCertificate._create_ssl_context  # noqa: SLF001
_query_consent = Connection.query_consent
_delete = TurnClientMixin.delete


def apply() -> None:
    """Change them for this process; idempotent."""
    RTCCertificate._create_ssl_context = _with_rsa  # type: ignore[method-assign,assignment]  # noqa: SLF001
    Connection.query_consent = _query_consent_while_open  # type: ignore[method-assign,assignment]
    TurnClientMixin.delete = _delete_in_time  # type: ignore[method-assign,assignment]


def _with_rsa(certificate: RTCCertificate, **settings: Any) -> SSL.Context:
    """Let aiortc shake hands with a media server that has an RSA certificate.

    It offers ECDSA cipher suites only, and many Janus installations set an RSA
    `cert_pem`: the handshake then fails with "no shared cipher".
    """
    context = _create_ssl_context(certificate, **settings)
    context.set_cipher_list(CIPHERS)
    return context


async def _query_consent_while_open(connection: Connection) -> None:
    """Start no consent checks on a connection that was closed while it connected.

    aioice starts them whatever happened meanwhile, and nobody stops them for 30 s.
    """
    if not connection._closing:  # noqa: SLF001
        await _query_consent(connection)


async def _delete_in_time(client: TurnClientMixin) -> None:
    """Wait only so long for a TURN server to say goodbye to.

    aioice asks a server that has gone for a minute, and tells nobody before that the
    connection is lost. The server forgets us by itself.
    """
    try:
        async with asyncio.timeout(TURN_GOODBYE_S):
            await _delete(client)
    except TimeoutError:
        # aioice has closed it; over TCP that still waits until the server has taken it all in.
        cast("asyncio.Transport", client.transport).abort()
