"""One function per command: what can be given to it, and its help."""
