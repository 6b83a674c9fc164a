"""Words and pauses become what a reader sees."""
