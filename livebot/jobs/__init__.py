"""Files as jobs: they wait, run, survive a restart, and are fetched."""
