"""Recognition for other programs, over standard input and output: see deploy/daemon.md."""
