"""Tests of `livebot.rooms.reception` against what media servers are known to do.

Spec: recovery/Gaps
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from livebot.captions.gap import Cause, Gap
from livebot.captions.notice import NOTICE_S
from livebot.errors import MediaError
from livebot.hearing.backlog import Backlog
from livebot.hearing.figures import Figures
from livebot.media.ice import IcePolicy
from livebot.metrics import Metrics
from livebot.rooms import reception
from livebot.rooms.clock import RoomClock
from livebot.rooms.inbox import OFFERS, OFFERS_PER_S
from livebot.rooms.media_watch import NOBODY_SENDS
from livebot.rooms.outage import UNCERTAIN_S
from livebot.rooms.reception import CONNECT_TIMEOUT_S, Reception, ReceptionOptions
from livebot.rooms.talk import FixedTalkSettings
from livebot.rooms.watchdog import (
    ASK_LOST_S,
    ASK_SILENT_S,
    MOST_S,
    PATH_DEAD_S,
    PATH_LOST_S,
    STEADY_S,
)
from livebot.signaling.events import CandidateFound, Offered, SubscriptionRefused
from tests.support.gaps import over
from tests.support.scripted_media import ASK_DELAY_S, DTX_S, HELD_S, SPEAKER, ScriptedMedia

pytestmark = pytest.mark.virtual_time

LOOK_S = reception.LOOK_EVERY_S
OPTIONS = ReceptionOptions(
    chunk_ms=200, ice_servers=FixedTalkSettings("").ice_servers, ice_policy=IcePolicy.ALL
)


@dataclass(slots=True)
class World:
    """One speaker's reception and what it told."""

    server: ScriptedMedia
    reception: Reception
    figures: Figures
    told: list[Gap] = field(default_factory=list)

    def count(self, name: str, **labels: str) -> float:
        """Return a metric."""
        # Not from the registry, which reads the process's own figures from files.
        metric = getattr(self.figures.metrics, name).labels(**labels)
        return float(metric._value.get())

    async def heard_for(self, seconds: float) -> None:
        """Let the speaker speak on a first connection."""
        self.server.send()
        self.server.offer(is_asked=True)
        await asyncio.sleep(seconds)
        assert self.figures.media == "receiving"


@asynccontextmanager
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Listen to one speaker; at the end they leave."""
    server, figures, told = ScriptedMedia(), Figures(Metrics()), list[Gap]()
    backlog = Backlog(120, lambda _: None)
    made = Reception(
        SPEAKER,
        OPTIONS,
        subscription=server,
        backlog=backlog,
        clock=RoomClock(),
        figures=figures,
        on_gap=told.append,
    )
    server.reception = made
    monkeypatch.setattr(reception, "open_peer", server.open_peer)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(made.run())
        yield World(server, made, figures, told)
        made.flush()
        running.cancel()


async def test_a_path_that_is_dead_for_3_s_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss is told when it is over, and nothing is asked for."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.cut()
        await asyncio.sleep(3)
        it.server.heal()
        await asyncio.sleep(30)

    (gap,) = over(it.told)
    assert gap.cause is Cause.NETWORK
    assert gap.lost_s == pytest.approx(3, abs=0.1)
    assert (len(it.server.peers), it.server.asked) == (1, [])
    assert it.count("stalls", component="media") == 0


async def test_a_path_that_is_dead_for_12_s_heals(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told and shown while it lasts; the same connection goes on."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.cut()
        await asyncio.sleep(PATH_LOST_S + 2 * LOOK_S)
        assert [gap.end for gap in it.told] == [None]
        assert it.told[0].start == pytest.approx(10, abs=0.1)
        assert it.figures.media == "lost"
        await asyncio.sleep(12 - PATH_LOST_S - 2 * LOOK_S)
        assert "no audio from the media server for 12 s" in (it.figures.media_error or "")
        it.server.heal()
        await asyncio.sleep(2)
        assert (it.figures.media, it.figures.media_error) == ("receiving", None)

        it.server.cut()
        await asyncio.sleep(PATH_LOST_S + LOOK_S)
        it.server.heal()
        await asyncio.sleep(2)
        assert it.count("stalls", component="media") == 2

    gap, _ = over(it.told)
    assert gap.cause is Cause.MEDIA
    assert gap.lost_s == pytest.approx(12, abs=0.1)
    assert gap.end == pytest.approx(22, abs=0.1)
    assert (len(it.server.peers), it.server.asked) == (1, [])


async def test_a_path_that_is_dead_for_40_s_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new connection is tried meanwhile, and is there soon after the path is; one gap."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.cut()
        await asyncio.sleep(40)
        assert it.server.asked[0] == pytest.approx(10 + ASK_LOST_S, abs=2 * LOOK_S)
        it.server.heal()
        await asyncio.sleep(1)
        assert (it.figures.media, it.figures.media_error) == ("receiving", None)

    (gap,) = over(it.told)
    assert gap.cause is Cause.MEDIA
    assert gap.lost_s == pytest.approx(40, abs=0.5)
    assert it.count("reconnects", component="media", reason="stalled") == 1
    assert it.count("reconnects", component="media", reason="no_way") == 1
    assert len(it.server.asked) == 2


async def test_a_media_server_that_says_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    """All connections end at once (TERM): told after 3 s, asked for until it is back."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10.3)
        it.server.is_up = False
        it.server.close()
        await asyncio.sleep(2)
        assert (it.told, it.figures.media, it.figures.media_error) == ([], "lost", None)
        await asyncio.sleep(2)
        assert len(it.told) == 1
        assert it.count("packets", outcome="received") == it.server.peers[0].counts.received
        assert "the connection has ended" in (it.figures.media_error or "")
        it.server.is_up = True
        await asyncio.sleep(2)
        assert (it.figures.media, it.figures.media_error) == ("receiving", None)

    (gap,) = over(it.told)
    assert gap.cause is Cause.MEDIA
    assert gap.start == pytest.approx(10.3, abs=0.1)
    assert 4 <= gap.lost_s <= 5.5
    assert it.count("reconnects", component="media", reason="closed") == 1
    assert len(it.server.asked) == 1


async def test_a_media_server_that_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is given up after 30 s only; words are said to be lost long before."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.is_up = False
        it.server.cut()
        await asyncio.sleep(PATH_LOST_S + 2 * LOOK_S)
        assert len(it.told) == 1
        await asyncio.sleep(30 - PATH_LOST_S - 2 * LOOK_S)
        it.server.close()
        await asyncio.sleep(15)
        it.server.heal()
        it.server.is_up = True
        await asyncio.sleep(2)
        assert it.figures.media == "receiving"

    (gap,) = over(it.told)
    assert gap.lost_s == pytest.approx(45.5, abs=1)


async def test_a_server_that_forgets_to_say_that_the_speaker_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of 2022: the connection lives and brings nothing. Asked for again after 10 s."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.stop()
        await asyncio.sleep(ASK_SILENT_S + LOOK_S)
        it.server.send()
        await asyncio.sleep(ASK_DELAY_S + 1)
        assert len(it.server.peers) == 2
        assert it.figures.media == "receiving"

    assert it.told == []
    assert it.figures.last_error is None
    assert it.count("stalls", component="media") == 1
    assert it.count("reconnects", component="media", reason="silent") == 1


@pytest.mark.parametrize("every_s", [0.02, DTX_S])
async def test_somebody_muted_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, every_s: float
) -> None:
    """Ten minutes of zeros, in each packet's place or in one of twenty: nothing happens."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.send(every_s, level=0.0)
        for _ in range(600):
            await asyncio.sleep(1)
            assert (it.figures.media, it.figures.media_error) == ("receiving", None)

    assert (it.server.asked, it.told) == ([], [])
    assert it.count("stalls", component="media") == 0


async def test_a_path_that_dies_on_somebody_silent_is_no_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None of their words was under way."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.is_up = False
        it.server.stop()
        await asyncio.sleep(5)
        it.server.cut()
        await asyncio.sleep(PATH_DEAD_S + LOOK_S)
        assert it.figures.media == "lost"
        it.server.close()
        await asyncio.sleep(30)
        assert it.figures.media_error is None

    assert it.told == []


@pytest.mark.parametrize("heard_s", [0, 10])
async def test_a_microphone_that_is_off_for_an_hour(
    monkeypatch: pytest.MonkeyPatch, heard_s: float
) -> None:
    """A few requests, ever later; no fault, no gap; and it may be switched on at any time."""
    async with listening(monkeypatch) as it:
        if heard_s:
            await it.heard_for(heard_s)
            it.server.stop()
        else:
            it.server.offer(is_asked=True)
        for _ in range(3600):
            await asyncio.sleep(1)
            assert it.figures.media_error is None
        waits = [b - a for a, b in zip(it.server.asked, it.server.asked[1:], strict=False)]
        assert it.server.asked[0] == pytest.approx(heard_s + ASK_SILENT_S, abs=1)
        assert waits[:4] == pytest.approx([20, 40, 80, 160], abs=1)
        assert waits[-1] == pytest.approx(MOST_S, abs=1)
        assert it.figures.media == "silent"
        assert len(it.server.asked) < 20
        assert it.count("stalls", component="media") == bool(heard_s)
        for _ in range(2):
            it.server.send()
            await asyncio.sleep(1)
            assert it.figures.media == "receiving"
            await asyncio.sleep(STEADY_S)
            it.server.stop()
            await asyncio.sleep(ASK_SILENT_S + LOOK_S)
            assert it.server.asked[-1] == pytest.approx(asyncio.get_running_loop().time(), abs=1)

    assert it.told == []
    assert it.figures.last_error is None


async def test_a_ghost_is_not_hammered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed browser is in the call for 30 s more: one request, and no word about a gap."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.stop()
        it.server.is_up, it.server.code = False, NOBODY_SENDS
        await asyncio.sleep(30)
        it.reception.deliver(SubscriptionRefused(SPEAKER, NOBODY_SENDS))
        assert it.figures.media == "silent"

    assert len(it.server.asked) == 1
    assert it.told == []


async def test_a_speaker_whose_browser_crashed_is_no_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection ends as with a media server that dies, but the server says: nobody sends."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.is_up, it.server.code = False, NOBODY_SENDS
        it.server.close()
        await asyncio.sleep(ASK_DELAY_S + HELD_S + 0.1)
        assert it.figures.media == "waiting"
        await asyncio.sleep(30)
        it.server.is_up = True
        await asyncio.sleep(HELD_S + 2)
        assert it.figures.media == "receiving"

    assert it.told == []
    assert it.figures.last_error is None


async def test_a_media_server_that_has_lost_the_speaker_is_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Restarted, it first fails and then says that nobody sends: to it nobody does."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.is_up = False
        it.server.close()
        await asyncio.sleep(5)
        it.server.code = NOBODY_SENDS
        await asyncio.sleep(60)
        assert "no audio from the media server for 6" in (it.figures.media_error or "")

    (gap,) = over(it.told)
    assert gap.lost_s == pytest.approx(65, abs=1)


async def test_an_offer_that_cannot_be_used_is_the_servers_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Words that are lost by it are told without waiting for more."""

    async def refuse(*_: object) -> str:
        raise MediaError("the offer cannot be used")

    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        monkeypatch.setattr("tests.support.scripted_media.ScriptedPeer.answer", refuse)
        it.server.closing_s = 6
        it.server.close()
        await asyncio.sleep(ASK_DELAY_S + 0.1)
        assert it.count("reconnects", component="media", reason="failed") == 1
        assert it.figures.media_error == "the offer cannot be used"
        await asyncio.sleep(NOTICE_S)
        assert len(it.told) == 1


async def test_a_server_that_does_not_answer_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says why the connection ended: after a while that is told as a fault."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.is_up, it.server.code = False, NOBODY_SENDS
        monkeypatch.setattr("tests.support.scripted_media.HELD_S", 3600)
        it.server.close()
        await asyncio.sleep(UNCERTAIN_S + 1)
        assert len(it.told) == 1


async def test_a_flood_of_offers_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs everybody: more than a few are dropped and counted, however valid."""
    async with listening(monkeypatch) as it:
        for number in range(1000):
            it.server.offer(sid=str(number))
            await asyncio.sleep(0.01)
        assert it.server.answered <= OFFERS + 10 * OFFERS_PER_S
        dropped = it.count("errors", component="media", type="MediaError")
        assert dropped == 1000 - it.server.answered
        assert it.server.asked == []
        it.server.offer(is_asked=True)
        assert len(it.server.asked) == 1
        await asyncio.sleep(1 / OFFERS_PER_S)
        it.server.offer(sid="last")
        await asyncio.sleep(1)
        assert it.server.answered >= OFFERS + 10 * OFFERS_PER_S - 1


async def test_heavy_loss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the packets for a minute: one gap, of what is missing; packets are counted."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.lose_each = 5
        await asyncio.sleep(60)
        it.server.lose_each = 1 << 30
        await asyncio.sleep(15)
        assert it.told[-1].end is not None
        assert it.figures.media == "receiving"
        counts = it.server.peers[0].counts
        assert it.count("packets", outcome="lost") == counts.lost
        assert it.count("packets", outcome="received") == pytest.approx(counts.received, abs=50)

    (gap,) = over(it.told)
    assert gap.cause is Cause.NETWORK
    assert gap.lost_s == pytest.approx(12, abs=0.2)
    assert it.server.asked == []


async def test_who_leaves_in_a_bad_network_ends_what_was_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise it would be shown for ever."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.lose_each = 5
        await asyncio.sleep(20)
        assert it.told[-1].end is None

    assert len(over(it.told)) == 1


async def test_a_speaker_who_reloads_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new offer replaces the connection in less than a word."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.offer(sid="new")
        await asyncio.sleep(10)
        assert len(it.server.peers) == 2

    assert it.told == []


async def test_a_renegotiation_is_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same connection goes on."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.offer(sid="0")
        await asyncio.sleep(10)

    assert (len(it.server.peers), it.server.answered) == (1, 2)
    assert it.told == []


async def test_a_connection_that_closes_slowly_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a TURN server has gone; but only one at a time is being closed."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.closing_s = 6
        it.server.close()
        await asyncio.sleep(ASK_DELAY_S + 0.5)
        assert it.figures.media == "receiving"
        assert (it.server.closing, len(it.server.peers)) == (1, 2)
        it.server.close()
        await asyncio.sleep(ASK_DELAY_S + 0.5)
        assert len(it.server.peers) == 2
        await asyncio.sleep(6)
        assert (it.figures.media, len(it.server.peers)) == ("receiving", 3)
        it.server.closing_s = 0


async def test_no_way_to_the_media_server_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for again and again, and shown until a way is found."""
    async with listening(monkeypatch) as it:
        it.server.cut()
        it.server.send()
        it.server.offer(is_asked=True)
        await asyncio.sleep(CONNECT_TIMEOUT_S + 1)
        assert it.figures.media_error == "no way to the media server: check TURN"
        await asyncio.sleep(CONNECT_TIMEOUT_S - 1)
        assert it.count("reconnects", component="media", reason="no_way") == 1
        assert it.figures.media_error == "no way to the media server: check TURN"
        assert it.figures.media == "connecting"
        it.server.heal()
        await asyncio.sleep(0.15)
        assert it.figures.media == "receiving"
        assert not it.figures.media_error

    assert it.told == []


async def test_a_connection_that_fails_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked for again at once, not when the time to connect is over."""
    async with listening(monkeypatch) as it:
        it.server.cut()
        it.server.offer(is_asked=True)
        await asyncio.sleep(1)
        it.server.close()
        await asyncio.sleep(0.1)
        assert it.count("reconnects", component="media", reason="failed") == 1
        assert len(it.server.asked) == 1


@pytest.mark.parametrize(("after_s", "count"), [(2, 0), (4, 1)])
async def test_who_leaves_ends_what_was_told(
    monkeypatch: pytest.MonkeyPatch, after_s: float, count: int
) -> None:
    """A connection that ends because its speaker leaves is announced to nobody."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.is_up = False
        it.server.close()
        await asyncio.sleep(after_s)

    assert len(over(it.told)) == count


async def test_a_microphone_that_was_switched_off_in_an_outage_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Readers are not told for ever that words of somebody are missing who sends none."""
    async with listening(monkeypatch) as it:
        await it.heard_for(10)
        it.server.is_up = False
        it.server.close()
        await asyncio.sleep(6.2)
        it.server.stop()
        it.server.is_up = True
        await asyncio.sleep(5)
        (gap,) = over(it.told)
        assert gap.lost_s == pytest.approx(7.5, abs=0.6)
        assert it.figures.media_error is None


async def test_audio_is_back_for_good_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that gives a moment of audio each time is asked ever later."""
    async with listening(monkeypatch) as it:
        await it.heard_for(STEADY_S - 1)
        assert it.server.steady == []
        it.server.close()
        await asyncio.sleep(ASK_DELAY_S + STEADY_S + 2)
        assert len(it.server.steady) == 1
        await asyncio.sleep(60)
        assert len(it.server.steady) == 1


async def test_candidates_before_their_offer_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The media server may send them in any order; those of other offers are not taken."""
    used: list[object] = []

    async def note(_: object, candidate: str, *_rest: object) -> None:
        used.append(candidate)

    monkeypatch.setattr("tests.support.scripted_media.ScriptedPeer.add_candidate", note)
    async with listening(monkeypatch) as it:
        it.reception.deliver(CandidateFound(SPEAKER, "7", "early", "0", 0))
        it.reception.deliver(CandidateFound(SPEAKER, "8", "other", "0", 0))
        it.server.offer(sid="7")
        it.reception.deliver(CandidateFound(SPEAKER, "7", "late", "0", 0))
        await asyncio.sleep(1)
        assert used == ["early", "late"]


async def test_candidates_without_a_sid_reach_the_next_connection_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Old servers do not say whose they are; one asked for may be announced by its candidates."""
    used: list[tuple[object, str]] = []

    async def note(peer: object, candidate: str, *_rest: object) -> None:
        used.append((peer, candidate))

    monkeypatch.setattr("tests.support.scripted_media.ScriptedPeer.add_candidate", note)
    async with listening(monkeypatch) as it:
        monkeypatch.setattr(it.server, "answer", lambda *_, **__: None)
        it.reception.deliver(Offered(SPEAKER, "", "v=0", asked_at=0.0))
        await asyncio.sleep(1)
        it.reception.deliver(CandidateFound(SPEAKER, "", "next", "0", 0))
        await asyncio.sleep(1)
        it.reception.deliver(Offered(SPEAKER, "", "v=0", asked_at=1.0))
        await asyncio.sleep(1)
        first, second = it.server.peers
        assert used == [(first, "next"), (second, "next")]
