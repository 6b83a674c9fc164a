"""Every peer dies and comes back, and no word is lost without a word about it."""

from collections.abc import Mapping

import pytest

from tests.faults.scenario import Scenario, Seen
from tests.faults.scenarios import SCENARIOS

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

MARGIN = 0.05
"""How many of the words may be missing where none need be: the engine's own noise."""

LATE_S = 1.0
"""How much later than before somebody's words may come while another's are hit."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_fault(scenario: Scenario, results: Mapping[str, Seen | Exception]) -> None:
    """No word is lost in silence; none at all where none need be; others are not delayed."""
    seen = results[scenario.name]
    if isinstance(seen, Exception):
        raise seen

    silent = [f"{user}: {run}" for user, a in seen.accounts.items() for run in a.silent]
    assert not silent, "words were lost and nobody was told"
    assert seen.recovered_s is not None, "captions never came back"
    if scenario.loses_nothing:
        for account in seen.accounts.values():
            assert account.words_lost <= MARGIN * account.spoken
            assert not [str(run) for run in account.lost if len(run.words) > 1]
    if scenario.spares_bob:
        assert seen.bobs_extra_delay_s is not None
        assert seen.bobs_extra_delay_s <= LATE_S
