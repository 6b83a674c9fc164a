"""The contract for engines whose recogniser, at the other end, is the tone model."""

import pytest

from tests.support.engine_contract import EngineContract, Speech
from tests.support.tone_model import said, speech


class ToneContract(EngineContract):
    """The contract with speech that the tone model understands; a subclass gives the engines."""

    @pytest.fixture
    def speech(self) -> Speech:
        """Give twelve words."""
        return Speech(speech(12), said(12))

    @pytest.fixture
    def other_speech(self) -> Speech:
        """Give five words."""
        return Speech(speech(5), said(5))
