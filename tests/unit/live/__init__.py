"""Tests of `livebot.live`."""
