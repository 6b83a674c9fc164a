"""What we change inside aiortc and aioice, and why; the one place that reaches into them.

`tests/integration/test_peer.py` fails with a clear message when a new version moves
what is touched here.
"""

from typing import Any

from aioice import Connection
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcdtlstransport import RTCCertificate
from av.error import FFmpegError
from av.frame import Frame
from OpenSSL import SSL

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
)
"""aiortc's own list, then the same for RSA."""

_create_ssl_context = RTCCertificate._create_ssl_context  # noqa: SLF001
_query_consent = Connection.query_consent
_decode = OpusDecoder.decode


def apply() -> None:
    """Change them for this process; idempotent."""
    RTCCertificate._create_ssl_context = _with_rsa  # type: ignore[method-assign,assignment]  # noqa: SLF001
    Connection.query_consent = _query_consent_while_open  # type: ignore[method-assign,assignment]
    OpusDecoder.decode = _decode_what_is_audio  # type: ignore[method-assign,assignment]


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


def _decode_what_is_audio(decoder: OpusDecoder, encoded_frame: JitterFrame) -> list[Frame]:
    """Skip a packet that cannot be decoded.

    To the decoder an empty one (padding, a probe) is the end of the stream: it would never
    decode again. Other faults would end aiortc's thread in versions that do not expect them.
    """
    try:
        return _decode(decoder, encoded_frame) if encoded_frame.data else []
    except FFmpegError:
        return []
