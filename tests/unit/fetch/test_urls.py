"""URLs are checked before anybody is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from livebot.errors import FetchError
from livebot.fetch.addresses import Allowed
from livebot.fetch.urls import MAX_URL, checked, redirected

NOBODY = Allowed()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ftp://example.com/a", "http and https"),
        ("example.com/a.mp3", "http and https"),
        ("javascript:alert(1)", "http and https"),
        ("http:///a", "cannot be read"),
        ("http://", "cannot be read"),
        ("http://[::1/a", "cannot be read"),
        ("http://example.com:99999/", "cannot be read"),
        (f"http://{'a' * 64}.com/", "cannot be read"),
        ("http://a..b/", "cannot be read"),
        ("http://a%62c/", "cannot be read"),
        ("http://example.com/\r\nHost: evil", "cannot be read"),
        ("http://user:secret@example.com/a", "user name or a password"),
        ("http://user@example.com/a", "user name or a password"),
        ("http://127.0.0.1/a", "private network"),
        ("http://[::1]:80/a", "private network"),
        ("http://[::ffff:127.0.0.1]/a", "private network"),
        ("http://169.254.169.254/latest/meta-data", "private network"),
        ("http://10.0.0.1:8080/", "private network"),
        ("http://example.com/" + "a" * MAX_URL, "characters"),
    ],
)
def test_what_may_not_be_asked_for_is_refused(text: str, complaint: str) -> None:
    """Each with its reason, and without the address."""
    with pytest.raises(FetchError, match=complaint) as caught:
        checked(text, NOBODY)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/a.mp3",
        "https://1.1.1.1/",
        "https://example.com:8443/a?sig=%2Fb#t",
        "http://xn--bcher-kva.example/a",
        "http://a_b.example./",
    ],
)
def test_public_addresses_may_be_asked_for(text: str) -> None:
    """What is signed stays as it is."""
    assert str(checked(text, NOBODY)) == text


def test_names_in_any_script_may_be_asked_for() -> None:
    """They become what resolvers understand."""
    assert checked("https://bücher.example/ä b", NOBODY).raw_host == "xn--bcher-kva.example"


def test_a_named_host_may_be_private() -> None:
    """Of the allowed hosts, addresses need not be public."""
    assert checked("http://127.0.0.1:80/a", Allowed.of(["127.0.0.1"]))


@given(st.text(max_size=60) | st.text(max_size=40).map("http://{}".format))
def test_only_one_error_leaves(text: str) -> None:
    """Whatever text it is."""
    try:
        url = checked(text, NOBODY)
    except FetchError:
        return
    assert url.scheme in ("http", "https")
    assert url.host


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://example.com/b"),
        ("b?c=d", "https://example.com/x/b?c=d"),
        ("//other.example/b", "https://other.example/b"),
        ("https://other.example/b", "https://other.example/b"),
    ],
)
def test_redirects_are_relative_to_what_was_asked(location: str, target: str) -> None:
    """As in RFC 9110."""
    assert str(redirected(URL("https://example.com/x/a"), location, NOBODY)) == target


@pytest.mark.parametrize(
    ("location", "complaint"),
    [
        ("http://example.com/b", "from https to something less"),
        ("file:///etc/passwd", "from https to something less"),
        ("https://127.0.0.1/b", "private network"),
        ("https://user:pw@example.com/b", "user name or a password"),
        ("https://[::1", "cannot be read"),
    ],
)
def test_no_redirect_leads_where_nobody_may_ask(location: str, complaint: str) -> None:
    """Each hop is judged like the first one.

    Spec: daemon/Addresses.
    """
    with pytest.raises(FetchError, match=complaint):
        redirected(URL("https://example.com/x/a"), location, NOBODY)
