"""What must be true of each scenario."""

from tests.faults.account import RUN
from tests.faults.scenario import Scenario, Seen
from tests.faults.scenarios import Results, calm

MARGIN = 0.05
"""How many of the words may be missing where none need be: the engine's own noise."""

LATE_S = 1.0
"""How much later than before somebody's words may come while another's are hit."""


def problems(scenario: Scenario, results: Results) -> list[str]:
    """Return what is wrong with what was seen of a scenario; nothing where all is well."""
    seen = results[scenario.name]
    if isinstance(seen, Exception):
        return [f"it could not be performed: {seen!r}"]
    found = [
        f"lost, and nobody was told: {user}: {run}"
        for user, account in seen.accounts.items()
        for run in account.silent
    ]
    if seen.recovered_s is None:
        found.append("captions never came back")
    if scenario.is_reported and not seen.reasons:
        found.append("the health check never said so")
    if bool(seen.last_reasons) != scenario.is_final:
        found.append(f"the health check is wrong in the end: {seen.last_reasons}")
    if seen.left:
        found.append(f"left behind: {seen.left}")
    if scenario.loses_nothing:
        found += _losses(seen)
    if scenario.spares_bob:
        found += _delays(seen, results)
    return found


def _losses(seen: Seen) -> list[str]:
    found = []
    for user, account in seen.accounts.items():
        if account.words_lost > MARGIN * account.spoken:
            found.append(f"{user}: {account.words_lost} of {account.spoken} words lost")
        found += [f"{user} lost: {run}" for run in account.lost if len(run.words) >= RUN]
    return found


def _delays(seen: Seen, results: Results) -> list[str]:
    late_s = seen.bobs_extra_delay_s(calm(results))
    if late_s is None:
        return ["Bob said nothing"]
    return [f"Bob's words came {late_s:.1f} s later"] if late_s > LATE_S else []
