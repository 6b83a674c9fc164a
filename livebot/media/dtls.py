"""Let aiortc shake hands with a media server that has an RSA certificate.

aiortc offers ECDSA cipher suites only, and many Janus installations set an RSA
`cert_pem`: the handshake then fails with "no shared cipher". This is the one place
that reaches into aiortc's DTLS; a test fails when a new aiortc changes what it touches.
"""

from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate
from OpenSSL import SSL

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA"
)
"""aiortc's own list, then the same for RSA."""

_create_ssl_context = RTCCertificate._create_ssl_context  # noqa: SLF001


def _create_ssl_context_with_rsa(certificate: RTCCertificate, **settings: Any) -> SSL.Context:
    context = _create_ssl_context(certificate, **settings)
    context.set_cipher_list(CIPHERS)
    return context


def allow_rsa() -> None:
    """Add the ECDHE-RSA suites to every handshake of this process; idempotent."""
    RTCCertificate._create_ssl_context = _create_ssl_context_with_rsa  # type: ignore[method-assign,assignment]  # noqa: SLF001
