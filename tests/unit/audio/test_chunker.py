"""Any length in, chunks of one length out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.audio.chunker import Chunker


@given(st.integers(1, 12), st.lists(st.integers(0, 30), max_size=20))
def test_any_cutting_gives_the_same_chunks(size: int, lengths: list[int]) -> None:
    """All chunks have the size, less than one chunk stays behind, and nothing is lost."""
    samples = np.arange(sum(lengths), dtype=np.float32)
    chunker = Chunker(size)

    chunks, at = [], 0
    for length in lengths:
        chunks += chunker.push(samples[at : at + length])
        at += length
        assert at - size * len(chunks) < size  # what is whole is not kept
    rest = chunker.flush()

    assert all(len(chunk) == size for chunk in chunks)
    assert np.array_equal(np.concatenate([*chunks, rest]), samples)
    assert rest.dtype == np.float32


def test_flush_starts_anew() -> None:
    """The rest is given once."""
    chunker = Chunker(4)
    chunker.push(np.ones(3, dtype=np.float32))

    assert len(chunker.flush()) == 3
    assert len(chunker.flush()) == 0
    assert len(chunker.push(np.ones(5, dtype=np.float32))) == 1


def test_a_chunk_has_at_least_one_sample() -> None:
    """A size of nothing is a bug of the caller."""
    with pytest.raises(ValueError, match="at least one"):
        Chunker(0)
