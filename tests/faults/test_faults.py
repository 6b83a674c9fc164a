"""Every peer dies and comes back, and no word is lost without a word about it."""

import pytest

from tests.faults.scenario import Scenario
from tests.faults.scenarios import SCENARIOS, Results
from tests.faults.verdict import problems

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_fault(scenario: Scenario, results: Results) -> None:
    """No word is lost in silence; none at all where none need be; others are not delayed."""
    assert not problems(scenario, results)
