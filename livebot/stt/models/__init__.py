"""Speech models by name: which there are, where they lie, and how to get those that do not."""

from livebot.stt.models.catalog import names
from livebot.stt.models.fetching import Download
from livebot.stt.models.places import find
from livebot.stt.models.provide import provide

__all__ = ["Download", "find", "names", "provide"]
