"""Rooms and their speakers: where signaling, media, engines and captions meet."""
