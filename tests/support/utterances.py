"""Events of one speaker as live sessions make them, for laws."""

from hypothesis import strategies as st

from livebot.feeds.assembly import Assembly
from livebot.feeds.events import Event, Speaker
from livebot.stt.engine import Pause, SttEvent, Tentative, Word

_TEXT = st.text("abcdé语", min_size=1, max_size=6)


@st.composite
def events(draw: st.DrawFn, *, spaces: bool = True) -> list[Event]:
    """Return the events of some utterances, the last of them complete.

    Args:
        draw: Of hypothesis.
        spaces: Whether all words are of a language with spaces.
    """
    text = st.text("abcdé", min_size=1, max_size=6) if spaces else _TEXT
    steps = draw(st.lists(st.tuples(st.sampled_from("wwwtp"), text, st.booleans()), max_size=30))
    count = iter(range(1000))
    assembly = Assembly(Speaker(), "en", name=lambda: f"u{next(count)}")
    out: list[Event] = []
    now = 0.0
    for kind, said, joined in steps:
        now += 0.5
        out += assembly.feed(_event(kind, said, now, joined=joined), now)
    return [*out, *assembly.finish()]


def _event(kind: str, said: str, now: float, *, joined: bool) -> SttEvent:
    if kind == "p":
        return Pause()
    return Tentative(said) if kind == "t" else Word(said, now, now + 0.4, joined)
