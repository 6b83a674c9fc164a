"""Live sessions: audio of a browser or any client in, events out."""
