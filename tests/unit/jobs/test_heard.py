"""What is understood of jobs before they are over."""

from livebot.jobs.heard import Heard
from livebot.stt.engine import Word


def test_who_listens_hears_what_is_said() -> None:
    """From the beginning, also where it begins again."""
    heard = Heard()
    with heard.of("a") as texts:
        heard.begin("a")((Word("One"), Word("two"), Word(".", joined=True)))
        assert texts == ["One two."]
        add = heard.begin("a")
        add((Word("One"),))
        add((Word("three"),))
        assert texts == ["One", "three"]


def test_nothing_is_kept_for_nobody() -> None:
    """Nor of other jobs, nor after the listener has gone."""
    heard = Heard()
    add = heard.begin("a")
    add((Word("One"),))
    with heard.of("a") as texts, heard.of("b") as others:
        assert texts == []
        add((Word("two"),))
        assert (texts, others) == (["two"], [])
    add((Word("three"),))
    with heard.of("a") as texts:
        assert texts == []
