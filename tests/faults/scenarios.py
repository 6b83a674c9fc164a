"""Every fault of the suite."""

from collections.abc import Mapping

from tests.faults import backend_faults, engine_faults, media_faults, people_faults
from tests.faults.scenario import Seen

Results = Mapping[str, Seen | Exception]
"""What was seen of each scenario, or why it could not be performed."""

SCENARIOS = (
    *people_faults.FAULTS,
    *backend_faults.FAULTS,
    *engine_faults.FAULTS,
    *media_faults.FAULTS,
)


def calm(results: Results) -> Seen | None:
    """Return what was seen of the call without a fault."""
    seen = results.get("nothing")
    return seen if isinstance(seen, Seen) else None
