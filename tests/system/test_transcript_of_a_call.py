"""A real call is kept: what is in the transcript is what people said and readers got."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import av
import pytest
from aiohttp import ClientSession

from tests.support.wer import wer
from tests.system.world.bot import bot
from tests.system.world.call import MARGIN, until_said
from tests.system.world.engine import own_wers
from tests.system.world.hpb import Hpb
from tests.system.world.member import LISTENING, join
from tests.system.world.recording import TWO_SENTENCES, Recording, recording
from tests.system.world.speaker import speaking

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

TRANSCRIPTS = "/api/v1/transcripts"

MOST = 0.8
"""Of the words: then the last ones are soon to come, and are waited for."""

BUSY_S = 60.0
"""So late may a busy machine be with them."""


async def eventually(look: Callable[[], Awaitable[Any]], within_s: float = 15.0) -> Any:
    """Return what somebody sees, once there is something."""
    async with asyncio.timeout(within_s):
        while not (found := await look()):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)
    return found


def bytes_under(folder: Path) -> bytes:
    """Return every byte that is kept."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def played(folder: Path) -> dict[str, float]:
    """Return how many seconds each file of audio plays."""
    found = {}
    for file in folder.iterdir():
        with av.open(str(file), "r") as container:
            found[file.name] = sum(frame.samples for frame in container.decode(audio=0)) / 48_000
    return found


async def check_kept(
    kept: Any, audio: Any, says: Mapping[str, Recording], read: Mapping[str, str]
) -> None:
    """See to it that words and audio of each are kept, under their names."""
    for name, said in says.items():
        own = [each for each in kept["utterances"] if each["person"] == name]
        text = " ".join(each["text"] for each in own)
        found = wer(said.text, text)
        print(f"\n{name}: {found} kept; read {wer(said.text, read[name])}")  # noqa: T201
        assert {each["speaker"] for each in own} == {name.capitalize()}
        assert wer(read[name], text).rate == 0
        own_rates = [each.rate for each in await asyncio.to_thread(own_wers, said)]
        assert found.rate <= max(own_rates) + MARGIN
        assert own[0]["words"]
        heard = sum(each["end"] - each["start"] for each in audio if each["person"] == name)
        assert heard >= said.seconds * 0.8


async def test_what_was_said_is_kept_with_its_sound_and_erased_again(
    the_hpb: Hpb, folder: Path, room: str
) -> None:
    """Two people at once: names, words and audio of each; then one of them is erased.

    Spec: transcripts-of-calls/What is kept, transcripts-of-calls/Audio,
    transcripts-of-calls/Erase.
    """
    data = folder / "kept"
    says = {"alice": recording(*TWO_SENTENCES), "bob": recording("ls_7902", "libri_01_spk1089")}
    settings = {"LT_DATA_DIR": str(data), "LT_AUDIO": "consent"}
    with bot(folder / "keeping-bot", the_hpb, settings) as it:
        async with ClientSession(it.url) as http, join(the_hpb, room, "reader") as reader:

            async def get(path: str, **query: str) -> Any:
                async with http.get(path, params=query) as answer:
                    assert answer.status == 200, await answer.text()
                    return await answer.json()

            await reader.set_in_call(LISTENING)
            asked = {"roomToken": room, "languageId": "en", "store": True, "audioConsent": True}
            assert await it.post("/api/v1/call/transcribe", asked) == 200
            async with (
                speaking(the_hpb, room, "alice") as alice,
                speaking(the_hpb, room, "bob") as bob,
            ):
                await it.until_heard(2)
                await asyncio.gather(alice.say(says["alice"]), bob.say(says["bob"]))
                sessions = {who.member.user: who.session for who in (alice, bob)}

                def is_read() -> bool:
                    return all(
                        len(reader.text_of(who).split()) > MOST * len(says[name].text.split())
                        for name, who in sessions.items()
                    )

                await reader.until(is_read, "the words", BUSY_S)
                await until_said(reader)
            assert await it.stop(room) == 200

            async def ended() -> Any:
                (head,) = (await get(TRANSCRIPTS))["transcripts"]
                return head["ended_at"] and head

            head = await eventually(ended)
            read = {name: reader.text_of(who) for name, who in sessions.items()}
            path = f"{TRANSCRIPTS}/{head['id']}"
            kept = await get(path, words="true")
            audio = (await eventually(lambda: _both(get, path)))["audio"]
            await check_kept(kept, audio, says, read)
            files = await asyncio.to_thread(played, data / "audio")
            assert len(files) >= 2
            assert all(files.values())
            said_by = {
                name: [e["text"] for e in kept["utterances"] if e["person"] == name]
                for name in says
            }
            # One of the sentences is in both recordings.
            hers = {*said_by["alice"]} - {*said_by["bob"]}
            assert hers
            async with http.delete(TRANSCRIPTS, params={"person": "alice"}) as answer:
                assert await answer.json() == {"utterances": len(said_by["alice"])}
            on_disk = await asyncio.to_thread(bytes_under, data)
            assert not [text for text in hers if text.encode() in on_disk]
            left = (await get(path))["utterances"]
            assert {each["person"] for each in left} == {"bob"}
            assert left[0]["text"].encode() in on_disk
            rest = await asyncio.to_thread(played, data / "audio")
            assert set() < rest.keys() < files.keys()


async def _both(get: Callable[..., Awaitable[Any]], path: str) -> Any:
    found = await get(f"{path}/audio")
    return found if {each["person"] for each in found["audio"]} == {"alice", "bob"} else None
