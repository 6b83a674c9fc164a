"""Which URLs may be fetched, and where redirects may lead (pure)."""

import re

from yarl import URL

from livebot.errors import FetchError
from livebot.fetch.addresses import REFUSED, Allowed, parse_address

MAX_URL = 8192
"""Characters. Signed links of object stores have up to 2,000."""

_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")

MALFORMED = "the address cannot be read: give one like https://host/file.mp3"


def checked(text: str, allowed: Allowed) -> URL:
    """Return a URL that may be asked for; its host's name is still to be resolved.

    Raises:
        FetchError: It may not.
    """
    if len(text) > MAX_URL:
        raise FetchError(f"the address has more than {MAX_URL} characters")
    try:
        url = _parsed(text)
        host, port = url.raw_host, url.port
    except ValueError as exc:
        raise FetchError(MALFORMED) from exc
    if url.scheme not in ("http", "https"):
        raise FetchError("only addresses of http and https are fetched")
    if not host or port is None or not (_HOST.fullmatch(host) or parse_address(host)):
        raise FetchError(MALFORMED)
    if url.user is not None or url.password is not None:
        raise FetchError(
            "an address with a user name or a password is not fetched: take one that needs none,"
            " like a signed link"
        )
    # The connector asks no resolver about addresses.
    if parse_address(host) and not (allowed.has_address(host) or allowed.has_host(host)):
        raise FetchError(REFUSED)
    return url


def redirected(url: URL, location: str, allowed: Allowed) -> URL:
    """Return where a redirect leads.

    Args:
        url: What was asked for.
        location: What the answer says; may be relative.
        allowed: What may be reached besides public addresses.

    Raises:
        FetchError: It may not be followed.
    """
    try:
        target = url.join(_parsed(location))
    except ValueError as exc:
        raise FetchError(MALFORMED) from exc
    if url.scheme == "https" and target.scheme != "https":
        raise FetchError("the server redirects from https to something less: it is not followed")
    return checked(str(target), allowed)


def _parsed(text: str) -> URL:
    """Read a URL. One in plain characters is asked for as it is: a signature may be of it."""
    if not text.isprintable():
        raise FetchError(MALFORMED)
    return URL(text, encoded=text.isascii() and " " not in text)
