"""What a reader sees."""

import dataclasses

import pytest

from livebot.captions.caption import Caption


def test_a_caption_never_changes() -> None:
    """It is a value, so that what was sent stays what was sent."""
    caption = Caption("hello", final=True)

    with pytest.raises(dataclasses.FrozenInstanceError):
        caption.text = "bye"  # type: ignore[misc]
