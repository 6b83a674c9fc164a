"""Every peer dies and comes back, and no word is lost without a word about it."""

import pytest

from tests.faults.account import RUN
from tests.faults.scenario import Scenario
from tests.faults.scenarios import SCENARIOS, Results, calm

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

MARGIN = 0.05
"""How many of the words may be missing where none need be: the engine's own noise."""

LATE_S = 1.0
"""How much later than before somebody's words may come while another's are hit."""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_fault(scenario: Scenario, results: Results) -> None:
    """No word is lost in silence; none at all where none need be; others are not delayed."""
    seen = results[scenario.name]
    if isinstance(seen, Exception):
        raise seen

    silent = [f"{user}: {run}" for user, a in seen.accounts.items() for run in a.silent]
    assert not silent, "words were lost and nobody was told"
    assert seen.recovered_s is not None, "captions never came back"
    if scenario.is_reported:
        assert seen.reasons, "the health check never said so"
    assert bool(seen.last_reasons) == scenario.is_final, "the health check is wrong in the end"
    assert not seen.left
    if scenario.loses_nothing:
        for account in seen.accounts.values():
            assert account.words_lost <= MARGIN * account.spoken
            assert not [str(run) for run in account.lost if len(run.words) >= RUN]
    if scenario.spares_bob:
        late_s = seen.bobs_extra_delay_s(calm(results))
        assert late_s is not None, "Bob said nothing"
        assert late_s <= LATE_S
