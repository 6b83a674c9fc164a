"""Tests of `livebot.signaling.auth`."""

import pytest

from livebot.errors import ConfigError
from livebot.signaling.auth import MIN_NONCE_BYTES, hello_token


def test_token_is_what_openssl_computes() -> None:
    """`printf %s NONCE | openssl dgst -sha256 -hmac internal-secret` gave this."""
    token = hello_token("internal-secret", "an example nonce of forty characters.....")

    assert token == "b435ffaaf39d558e681c1a055d90a70c9e34f6269e8cb8e409bee213d261a10e"


def test_a_short_nonce_is_refused_before_the_server_does() -> None:
    """The server counts a refusal as an attack."""
    with pytest.raises(ConfigError):
        hello_token("secret", "n" * (MIN_NONCE_BYTES - 1))
