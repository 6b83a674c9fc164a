"""OCS answers."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.errors import NextcloudError
from livebot.nextcloud.ocs import AnswerError, data_of

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def envelope(data: object, statuscode: int) -> bytes:
    """Return an answer as Nextcloud writes it."""
    meta = {"status": "ok", "statuscode": statuscode, "message": "OK"}
    return json.dumps({"ocs": {"meta": meta, "data": data}}).encode()


@given(JSON, st.sampled_from([100, 200]))
def test_data_comes_back(data: object, statuscode: int) -> None:
    """What Nextcloud puts into the envelope comes out, in both versions."""
    assert data_of(200, envelope(data, statuscode)) == data


@given(st.sampled_from([996, 997, 998, 400, 404, 412, 429]))
def test_fault_inside_of_the_envelope(statuscode: int) -> None:
    """Version 1 says 200 outside and the truth inside."""
    with pytest.raises(AnswerError) as found:
        data_of(200, envelope([], statuscode))

    assert found.value.status == {996: 500, 997: 401, 998: 404}.get(statuscode, statuscode)


@given(st.integers(100, 599), st.binary(max_size=200))
def test_only_documented_faults(status: int, body: bytes) -> None:
    """Whatever comes is data or a NextcloudError."""
    with contextlib.suppress(NextcloudError):
        data_of(status, body)


@given(st.integers(100, 599), st.text("ABCxyz{}[]", min_size=12).map(str.encode))
def test_faults_quote_nothing(status: int, body: bytes) -> None:
    """An answer may hold secrets, so faults say nothing of it."""
    with pytest.raises(NextcloudError) as found:
        data_of(status, body)

    assert body.decode() not in str(found.value)
    assert found.value.__cause__ is None


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"ocs":{}}', b'{"ocs":{"meta":{"statuscode":"x"}}}', b"\xff"],
)
def test_other_pages_are_none_of_nextcloud(body: bytes) -> None:
    """What is not OCS names the setting that is wrong."""
    with pytest.raises(NextcloudError, match="NEXTCLOUD_URL"):
        data_of(200, body)


def test_deep_nesting_is_garbage() -> None:
    """An answer cannot exhaust the stack."""
    with pytest.raises(NextcloudError):
        data_of(200, b'{"ocs":{"meta":{},"data":' + b"[" * 500_000)


@pytest.mark.parametrize(
    ("status", "cure"),
    [(401, "APP_SECRET"), (404, "NEXTCLOUD_URL"), (302, "NEXTCLOUD_URL"), (500, "log")],
)
def test_fault_says_what_to_do(status: int, cure: str) -> None:
    """Each status names its cure."""
    assert cure in str(AnswerError(status))
