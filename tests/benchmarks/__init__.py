"""Programs that measure; run by hand on a quiet machine."""
