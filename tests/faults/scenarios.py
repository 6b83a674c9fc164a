"""Every fault of the suite."""

from tests.faults import backend_faults, engine_faults, media_faults, people_faults

SCENARIOS = (
    *backend_faults.FAULTS,
    *engine_faults.FAULTS,
    *media_faults.FAULTS,
    *people_faults.FAULTS,
)
