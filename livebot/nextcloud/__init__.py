"""Nextcloud over HTTP: what its app is told, what Talk knows of a call, and translation."""
