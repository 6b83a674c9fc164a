"""How the bot proves that it may join any room.

Source: the signaling server's `docs/standalone-signaling-api-v1.md`, internal clients.
"""

import hashlib
import hmac

from livebot.errors import ConfigError

MIN_NONCE_BYTES = 32
"""The server refuses a shorter random string."""


def hello_token(secret: str, nonce: str) -> str:
    """Return the token of an internal hello: HMAC-SHA256 of the nonce, as lowercase hex.

    Args:
        secret: `[clients] internalsecret` of the signaling server.
        nonce: A random string of at least `MIN_NONCE_BYTES` bytes, used once.

    Raises:
        ConfigError: The nonce is too short for the server.
    """
    if len(nonce.encode()) < MIN_NONCE_BYTES:
        raise ConfigError(f"the nonce needs at least {MIN_NONCE_BYTES} bytes")
    return hmac.new(secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()
