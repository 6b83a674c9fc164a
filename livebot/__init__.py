"""Live captions for Nextcloud Talk calls.

Start reading at `app.py`, then `rooms/room.py`.
"""

__version__ = "0.1.0"
