"""The embedded server over a pretend wire."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livebot.demo import exchange
from livebot.demo.sessions import HELLO_WITHIN_S, RESUME_WITHIN_S, Link
from livebot.ids import RoomToken, SessionId, TalkSessionId
from livebot.signaling.events import CallChanged, Entered, Offered, Resumed
from livebot.signaling.messages import Transcript
from livebot.signaling.protocol import Protocol
from livebot.signaling.state import State
from tests.support import recordings
from tests.unit.demo.pretend import (
    IN_CALL,
    NONCE,
    SECRET,
    WITH_AUDIO,
    PretendClient,
    World,
    media,
)


def test_wrong_secret_is_refused_and_another_hello_may_follow() -> None:
    """The server asks for proof, and a second try on the same connection works."""
    client = World().connect()

    client.hello_as_bot(secret="wrong")
    assert client.errors() == [("hello", "invalid_token")]
    client.hello_as_bot()

    assert client.session


def test_nothing_comes_before_hello() -> None:
    """Any other first message is refused."""
    client = World().connect()

    client.send("room", {"roomid": "room"}, "1")

    assert client.errors() == [("1", "hello_expected")]


def test_silent_connection_is_closed_at_the_deadline() -> None:
    """Not before the deadline, and at the deadline, with a bye."""
    world = World()
    client = world.connect()

    world.tick(HELLO_WITHIN_S - 0.001)
    assert None not in client.got
    world.tick(0.001)

    assert client.of("bye")[0]["bye"] == {"reason": "hello_timeout"}
    assert client.got[-1] is None


def test_everybody_sees_everybody_by_name() -> None:
    """Who joins learns who is there, who is there learns who joins."""
    world = World()
    ada = world.participant("Ada")
    grace = world.participant("Grace")

    for client in (ada, grace):
        joins = [e["event"]["join"] for e in client.of("event") if e["event"]["type"] == "join"]
        names = [entry["user"]["displayname"] for entries in joins for entry in entries]
        assert sorted(names) == ["Ada", "Grace"]


def test_bots_are_marked_and_silent_unless_they_say_nothing() -> None:
    """A bot that does not announce its part counts as one with audio, as on the real server."""
    world = World()
    reader = world.participant("Ada")
    announcing = world.bot()
    other = world.connect()
    other.hello_as_bot()
    other.send("room", {"roomid": "room"})

    assert reader.in_call() == {
        reader.session: IN_CALL,
        announcing.session: IN_CALL,
        other.session: IN_CALL | WITH_AUDIO,
    }
    users = reader.of("event")[-1]["event"]["update"]["users"]
    assert [user.get("internal", False) for user in users] == [False, True, True]


def test_leaving_is_told_once_with_flag_zero() -> None:
    """The others see the leaver's flag fall to 0, then do not see it any more."""
    world = World()
    ada, grace = world.participant("Ada"), world.participant("Grace")

    grace.send("bye", {})
    assert ada.in_call()[grace.session] == 0
    ada.send("internal", {"type": "incall", "incall": {"incall": IN_CALL | WITH_AUDIO}})

    assert grace.session not in ada.in_call()
    assert grace.got[-1] is None


def test_resumed_session_misses_nothing() -> None:
    """What was sent while the connection was lost arrives after resuming, in order."""
    world = World()
    ada, grace = world.participant("Ada"), world.participant("Grace")

    world.disconnect(grace)
    for number in range(3):
        body = {"recipient": {"type": "session", "sessionid": grace.session}, "data": number}
        ada.send("message", body)
    world.tick(RESUME_WITHIN_S - 0.001)
    again = world.connect()
    again.hello(resumeid=grace.resume_id)

    assert again.session == grace.session
    assert [message["message"]["data"] for message in again.of("message")] == [0, 1, 2]


def test_lost_session_ends_at_the_deadline() -> None:
    """Afterwards it cannot be resumed, and the others see it leave."""
    world = World()
    ada, grace = world.participant("Ada"), world.participant("Grace")

    world.disconnect(grace)
    world.tick(RESUME_WITHIN_S)
    again = world.connect()
    again.hello(resumeid=grace.resume_id)

    assert again.errors() == [("hello", "no_such_session")]
    assert ada.in_call()[grace.session] == 0


def test_session_resumed_elsewhere_leaves_the_old_connection() -> None:
    """The old connection is told why, and closed."""
    world = World()
    old = world.participant("Ada")
    new = world.connect()

    new.hello(resumeid=old.resume_id)

    assert old.of("bye")[0]["bye"] == {"reason": "session_resumed"}
    assert old.got[-1] is None
    assert new.session == old.session


@pytest.mark.parametrize(
    ("to", "heard_by"),
    [("room", ["Grace", "Mary"]), ("call", ["Grace"])],
)
def test_message_reaches_whom_it_is_for(to: str, heard_by: list[str]) -> None:
    """To the room or to the call, never to the sender and never to another room."""
    world = World()
    ada = world.participant("Ada")
    others = {
        "Grace": world.participant("Grace"),
        "Mary": world.participant("Mary", flags=0),
        "Jean": world.participant("Jean", room="another"),
    }

    ada.send("message", {"recipient": {"type": to}, "data": {"type": "hi"}})

    assert [name for name, client in others.items() if client.data("hi")] == heard_by
    assert not ada.data("hi")


def test_second_join_of_the_same_room_is_refused() -> None:
    """As on the real server, where it is a mistake after resuming."""
    ada = World().participant("Ada")

    ada.send("room", {"roomid": "room"}, "again")

    assert ada.errors() == [("again", "already_joined")]


def _nextcloud_session(client: PretendClient) -> str:
    """Return what a client's newest join said of itself."""
    joins = [e["event"]["join"] for e in client.of("event") if e["event"]["type"] == "join"]
    entries = {entry["sessionid"]: entry for entries in joins for entry in entries}
    return str(entries[client.session]["roomsessionid"])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["on", "off", "call", "no call", "room", "no room", "lose", "end"]),
        ),
        max_size=30,
    )
)
def test_readers_are_those_in_the_call_who_want_captions(steps: list[tuple[int, str]]) -> None:
    """In whatever order one comes, goes and changes one's mind."""
    world = World()
    clients = [world.participant(name, flags=0) for name in ("Ada", "Grace", "Mary")]
    expected: dict[int, dict[str, bool]] = {
        number: {"wants": False, "in call": False, "in room": True} for number in range(3)
    }
    for number, step in steps:
        client = clients[number]
        if number not in expected:
            continue
        its = expected[number]
        match step:
            case "on" | "off":
                client.want_captions(enable=step == "on")
                its["wants"] = step == "on"
            case "call" | "no call":
                flags = IN_CALL if step == "call" else 0
                client.send("internal", {"type": "incall", "incall": {"incall": flags}})
                its["in call"] = step == "call"
            case "room":
                client.send("room", {"roomid": "room"})
                its["in room"] = True
            case "no room":
                client.send("room", {"roomid": ""})
                its["in call"] = its["in call"] and not its["in room"]
                its["in room"] = False
            case "lose":
                world.disconnect(client)
                world.tick(RESUME_WITHIN_S)
                del expected[number]
            case _:
                client.send("bye", {})
                del expected[number]

    readers = {_nextcloud_session(clients[n]) for n, its in expected.items() if all(its.values())}
    assert world.hub.readers(RoomToken("room")) == readers
    assert not world.hub.readers(RoomToken("another"))


def test_reader_keeps_its_nextcloud_session_in_a_new_session() -> None:
    """A page that joins again, and then leaves as who it was, reads all the time."""
    world = World()
    room = RoomToken("room")
    for _ in range(2):
        client = world.connect()
        client.hello("Ada")
        client.send("room", {"roomid": room, "sessionid": "page"})
        client.send("internal", {"type": "incall", "incall": {"incall": IN_CALL}})
        client.want_captions()
    assert world.hub.readers(room) == {"page"}

    world.clients[Link(1)].send("bye", {})

    assert world.hub.readers(room) == {"page"}


@pytest.mark.parametrize("name", ["two words", "é", "x" * 513, "page\n"])
def test_what_is_no_nextcloud_session_is_refused(name: str) -> None:
    """The bot would refuse it later, where nobody sees why."""
    client = World().connect()
    client.hello("Ada")

    client.send("room", {"roomid": "room", "sessionid": name}, "join")

    assert [code for _, code in client.errors()] == ["invalid_format"]


def test_bot_is_no_reader() -> None:
    """A bot has no session in Nextcloud."""
    world = World()

    world.bot().want_captions()

    assert not world.hub.readers(RoomToken("room"))


def test_reader_alone_is_told_that_captions_failed() -> None:
    """As an error that answers no request."""
    world = World()
    ada, grace = world.participant("Ada"), world.participant("Grace")

    reader = TalkSessionId(_nextcloud_session(ada))
    world.hub.captions_failed(RoomToken("room"), reader, "because")
    world.deliver()

    (error,) = ada.of("error")
    assert error == {"type": "error", "error": {"code": "captions_failed", "message": "because"}}
    assert not grace.of("error")


def test_offer_waits_for_the_speaker_and_the_request_is_named_when_it_does_not_come() -> None:
    """A request is held for ten seconds, then refused with its own id."""
    world = World()
    ada, bot = world.participant("Ada", IN_CALL | WITH_AUDIO), world.bot()

    bot.send("message", media("requestoffer", ada.session), "ask")
    world.tick(exchange.HOLD_S - 0.001)
    assert not bot.errors()
    world.tick(0.001)

    assert bot.errors() == [("ask", "client_not_found")]


def test_audio_goes_from_publication_to_subscription() -> None:
    """An offer to oneself publishes; who asked before is offered it, answers, and is heard."""
    world = World()
    ada, bot = world.participant("Ada", IN_CALL | WITH_AUDIO), world.bot()
    bot.send("message", media("requestoffer", ada.session), "ask")

    ada.send("message", media("offer", ada.session, sid="7", payload={"sdp": "offer"}), "pub")
    (publish,) = world.hub.commands_to_do()
    assert publish == exchange.Publish(SessionId(ada.session), "7", "offer", "pub")
    world.hub.published(SessionId(ada.session), "7", "answer")
    (subscribe,) = world.hub.commands_to_do()
    assert isinstance(subscribe, exchange.Subscribe)
    assert subscribe.request == "ask"
    world.hub.offered(subscribe.reader, subscribe.speaker, subscribe.sid, "their offer")
    world.deliver()

    assert ada.data("answer")[0]["payload"] == {"type": "answer", "sdp": "answer"}
    assert ada.data("answer")[0]["sid"] == "7"
    offer = bot.data("offer")[0]
    assert (offer["from"], offer["payload"]["sdp"]) == (ada.session, "their offer")
    answer = media("answer", ada.session, sid=offer["sid"], payload={"sdp": "my answer"})
    bot.send("message", answer, "answer")
    (answered,) = world.hub.commands_to_do()
    assert answered == exchange.Answered(
        SessionId(bot.session), offer["sid"], "my answer", "answer"
    )


def test_participants_hear_only_who_is_in_their_call() -> None:
    """Bots may listen to anybody, participants need to be in the same room and call."""
    world = World()
    ada = world.participant("Ada", IN_CALL | WITH_AUDIO)
    outside = world.participant("Grace", flags=0)

    outside.send("message", media("requestoffer", ada.session), "ask")

    assert outside.errors() == [("ask", "not_allowed")]


def test_nobody_publishes_for_others() -> None:
    """An offer to somebody else is refused."""
    world = World()
    ada, grace = world.participant("Ada"), world.participant("Grace")

    ada.send("message", media("offer", grace.session, payload={"sdp": "x"}), "pub")

    assert ada.errors() == [("pub", "not_allowed")]


def test_leaving_ends_the_audio() -> None:
    """The publication of who leaves ends, and what others heard of it."""
    world = World()
    ada, bot = world.participant("Ada", IN_CALL | WITH_AUDIO), world.bot()
    ada.send("message", media("offer", ada.session, sid="7", payload={"sdp": "offer"}))
    world.hub.published(SessionId(ada.session), "7", "answer")
    bot.send("message", media("requestoffer", ada.session))
    subscribe = world.hub.commands_to_do()[-1]
    assert isinstance(subscribe, exchange.Subscribe)

    ada.send("internal", {"type": "incall", "incall": {"incall": 0}})

    assert world.hub.commands_to_do() == [
        exchange.Unsubscribe(subscribe.sid),
        exchange.Unpublish(SessionId(ada.session)),
    ]


class _Conversation:
    """The bot's own protocol at the other end of the pretend wire."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.bot = Protocol(room=RoomToken("room"), secret=SECRET, backend="http://127.0.0.1")
        self.events: list[Any] = []
        self.connect()

    def connect(self) -> None:
        """Begin on a new connection."""
        self.client = self.world.connect()
        self.seen = 0
        self.bot.connected(nonce=NONCE, now=self.world.now)
        self.talk()

    def talk(self) -> None:
        """Carry text between both ends until they are silent."""
        while self.seen < len(self.client.got) or self.bot.outgoing:
            new, self.seen = self.client.got[self.seen :], len(self.client.got)
            for message in new:
                if message is not None:
                    self.events += self.bot.receive(json.dumps(message), self.world.now)
            for text in self.bot.text_to_send():
                self.world.hub.receive(self.client.link, text, self.world.now)
            self.world.deliver()

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of one type."""
        return [event for event in self.events if isinstance(event, kind)]


def test_the_bots_own_protocol_joins_and_sees_the_speakers() -> None:
    """Hello and join: both ends agree, and nothing is skipped."""
    world = World()
    ada = world.participant("Ada", IN_CALL | WITH_AUDIO)

    ours = _Conversation(world)

    assert ours.bot.state is State.IN_ROOM
    assert len(ours.of(Entered)) == 1
    speaking = [state.session for state in ours.of(CallChanged)[-1].states if state.speaks]
    assert speaking == [ada.session]
    assert ours.bot.skipped == 0


def test_the_bots_own_protocol_is_offered_audio_and_sends_captions() -> None:
    """A subscription that waited is offered; a caption arrives at its reader."""
    world = World()
    ada = world.participant("Ada", IN_CALL | WITH_AUDIO)
    speaker = SessionId(ada.session)
    ours = _Conversation(world)

    ours.bot.subscribe(speaker, world.now)
    ours.bot.tick(world.now)
    ours.talk()
    ada.send("message", media("offer", ada.session, sid="7", payload={"sdp": "offer"}))
    world.hub.published(speaker, "7", "answer")
    subscribe = world.hub.commands_to_do()[-1]
    assert isinstance(subscribe, exchange.Subscribe)
    world.hub.offered(subscribe.reader, subscribe.speaker, subscribe.sid, "sdp")
    world.deliver()
    caption = Transcript(speaker, "Hello.", "en", final=True, start=0.5, end=1.0)
    ours.bot.send_caption(speaker, caption)
    ours.talk()

    assert [(offer.sid, offer.sdp) for offer in ours.of(Offered)] == [(subscribe.sid, "sdp")]
    assert ada.data("transcript")[0]["message"] == "Hello."
    assert ours.bot.skipped == 0


def test_the_bots_own_protocol_resumes_and_leaves() -> None:
    """A lost connection is resumed as the same session; bye ends it for everybody."""
    world = World()
    ada = world.participant("Ada")
    ours = _Conversation(world)
    session = ours.bot.session

    world.disconnect(ours.client)
    ours.bot.disconnected(world.now)
    ours.connect()
    assert len(ours.of(Resumed)) == 1
    assert ada.in_call()[str(session)] == IN_CALL
    ours.bot.leave(world.now)
    ours.talk()

    assert ours.bot.state is State.CLOSED
    assert str(session) not in ada.in_call()
    assert ours.bot.skipped == 0


_KEYS = (
    "type id hello room message internal bye auth params recipient data sessionid roomid payload"
    " sdp candidate sid incall random resumeid token features captions enable"
)
_WORDS = (
    "hello room message internal bye session call incall requestoffer offer answer candidate"
    " captions"
    " id1 id2"
)
_LEAVES = st.sampled_from([*_WORDS.split(), "", 0, 3, -1, 1.5, None, True])
_GARBAGE = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_KEYS.split()), inner),
    max_leaves=20,
)


@given(st.lists(_GARBAGE | st.text(), max_size=12), st.booleans())
def test_whatever_a_client_sends_only_errors_come_back(
    messages: list[Any],
    joined: bool,
) -> None:
    """No message breaks the server or another client."""
    world = World()
    ada = world.participant("Ada") if joined else world.connect()
    for message in messages:
        ada.send_text(message if isinstance(message, str) else json.dumps(message))

    grace = world.participant("Grace")

    assert grace.in_call()[grace.session] == IN_CALL


def _shape(value: Any, path: str = "") -> set[str]:
    """Return all key paths of a value."""
    if isinstance(value, dict):
        return {path}.union(*(_shape(inner, f"{path}.{key}") for key, inner in value.items()))
    if isinstance(value, list):
        return {path}.union(*(_shape(inner, f"{path}[]") for inner in value))
    return {path}


def _kind(message: dict[str, Any]) -> str:
    event = message.get("event", {})
    data = message.get("message", {}).get("data", {})
    detail = f"{event.get('target', '')} {event.get('type', '')}{data.get('type', '')}"
    return f"{message['type']} {detail}"


def test_messages_have_the_shape_of_the_real_servers() -> None:
    """Every key in our messages is in one of the same kind from version 2.1.1."""
    real: dict[str, set[str]] = {}
    for name in (each for each in recordings.RECORDINGS if "v041" not in each):
        for line in recordings.load(name):
            if line.direction == "<" and isinstance(line.message, dict):
                real.setdefault(_kind(line.message), set()).update(_shape(line.message))
    world = World()
    ada, bot = world.participant("Ada", IN_CALL | WITH_AUDIO), world.bot()
    bot.send("message", media("requestoffer", ada.session), "ask")
    ada.send("message", media("offer", ada.session, sid="7", payload={"sdp": "offer"}))
    world.hub.published(SessionId(ada.session), "7", "answer")
    (*_, subscribe) = world.hub.commands_to_do()
    assert isinstance(subscribe, exchange.Subscribe)
    world.hub.offered(subscribe.reader, subscribe.speaker, subscribe.sid, "sdp")
    bot.send("room", {"roomid": "room"}, "again")
    bot.send("bye", {})

    ours = [message for client in (ada, bot) for message in client.got if message]

    assert {_kind(message) for message in ours} <= real.keys()
    for message in ours:
        assert _shape(message) - real[_kind(message)] == set(), _kind(message)
