"""Sessions of the embedded server, apart from rooms."""

from livebot.demo.sessions import MAX_WAITING, Session
from livebot.ids import SessionId


def test_messages_for_a_lost_connection_are_bounded() -> None:
    """The oldest go first."""
    session = Session(SessionId("id"), "resume", "Ada", "ada", internal=False)

    for number in range(MAX_WAITING + 3):
        session.keep(str(number))

    assert len(session.waiting) == MAX_WAITING
    assert session.waiting[0] == "3"
