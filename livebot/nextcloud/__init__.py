"""Nextcloud over HTTP: Talk's settings, the app's life, translation.

`client.py` asks, with AppAPI's headers; everything else says what to ask and reads the answer.
"""
