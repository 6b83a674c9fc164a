"""Events without what was said and by whom (pure): what is left where somebody is forgotten."""

from typing import TypeAlias

from msgspec.structs import replace

from livebot.feeds.events import Final, Gap, Interim, Speaker

Said: TypeAlias = Final | Gap | Interim


def emptied(event: Said) -> Said:
    """Return an event that says nothing any more, and whose speaker has no name."""
    who = Speaker(event.speaker.id)
    if isinstance(event, Final):
        return replace(event, text="", words=(), speaker=who)
    if isinstance(event, Interim):
        return replace(event, text="", stable=0, speaker=who)
    return nameless(event)


def nameless(gap: Gap) -> Gap:
    """Return a gap without the name of who spoke."""
    return replace(gap, speaker=Speaker(gap.speaker.id))


def taken_back(said: Final | Interim) -> Final:
    """Return what tells readers that an utterance is gone: a final without words."""
    return Final(
        utterance=said.utterance,
        text="",
        words=(),
        speaker=Speaker(said.speaker.id),
        language=said.language,
        start=said.start or 0.0,
        end=(said.end if isinstance(said, Final) else said.start) or 0.0,
    )
