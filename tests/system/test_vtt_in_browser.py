"""WebVTT as a browser's own track reads it: real transcripts, and the nastiest there are."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from playwright.async_api import Page

from livebot.stt.engine import Word
from livebot.transcripts.cues import Cue, cues, text_of
from livebot.transcripts.export import write
from livebot.transcripts.model import Transcript, Utterance
from livebot.transcripts.pieces import clean
from tests.support.conversations import MARKUP, NAMES, SAID, SPACELESS, conversations
from tests.support.recorded_speech import FOLDER
from tests.system.world.visit import chromium

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

MANY = 60

_READ = """
async (files) => {
  const video = document.createElement("video");
  document.body.replaceChildren(video);
  const found = [];
  for (const [n, text] of files.entries()) {
    const track = document.createElement("track");
    track.kind = "captions";
    track.src = URL.createObjectURL(new Blob([text], { type: "text/vtt" }));
    const over = new Promise((done) => {
      track.onload = () => done("loaded");
      track.onerror = () => done("refused");
    });
    video.append(track);
    track.track.mode = "hidden";
    const state = await over;
    found.push([state, [...(track.track.cues ?? [])].map((cue) => {
      const html = cue.getCueAsHTML();
      const times = document.createNodeIterator(html, NodeFilter.SHOW_PROCESSING_INSTRUCTION);
      const marks = [];
      for (let mark; (mark = times.nextNode()); ) marks.push(mark.data);
      return {
        start: cue.startTime,
        end: cue.endTime,
        text: html.textContent,
        elements: [...html.querySelectorAll("*")].map((each) => [each.localName, each.title]),
        marks,
      };
    })]);
    URL.revokeObjectURL(track.src);
    track.remove();
  }
  return found;
}
"""
"""What a browser makes of each file: whether it reads it, and its cues."""


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """Open a page in Chromium."""
    async with chromium() as browser:
        found = await browser.new_page()
        await found.goto("data:text/html,<title>tracks</title>")
        yield found


def drawn() -> list[Transcript]:
    """Return many conversations, other ones each time."""
    found: list[Transcript] = []

    @settings(
        max_examples=MANY,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(conversations())
    def collect(said: Transcript) -> None:
        found.append(said)

    collect()
    return found


def nasty() -> list[Transcript]:
    """Return everything odd at once: each name, each mark that means something, each language."""
    marks = tuple(Word(text, float(n), n + 0.9) for n, text in enumerate(MARKUP))
    each = [
        Transcript((Utterance((Word(text, 0.0, 1.0),), name),), 1.0)
        for text, name in [*((text, "") for text in MARKUP), *(("Hm", name) for name in NAMES)]
    ]
    languages = [
        Transcript(
            (Utterance(_words(text, is_joined=language in SPACELESS), "A", language),), 99.0
        )
        for language, text in SAID.items()
    ]
    together = [
        Transcript(tuple(Utterance(marks, name) for name in NAMES), 99.0),
        Transcript((), 3.0),
    ]
    return [*each, *languages, *together]


def _words(text: str, *, is_joined: bool) -> tuple[Word, ...]:
    return tuple(
        Word(word, n / 3, (n + 1) / 3, joined=is_joined and n > 0)
        for n, word in enumerate(text.split() * 20)
    )


def real(folder: Path) -> tuple[list[Transcript], list[str]]:
    """Recognise the demo's recordings; return transcripts and the files of WebVTT."""
    livebot = shutil.which("livebot", path=str(Path(sys.executable).parent)) or "livebot"
    subprocess.run(
        [livebot, "transcribe", FOLDER, "-q", "-f", "json,vtt", "--words", "-o", folder],
        check=True,
        timeout=150,
    )
    said = [_read_back(json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    assert len(said) == len(list(FOLDER.glob("*.wav")))
    return said, [path.read_text() for path in sorted(folder.glob("*.vtt"))]


def _read_back(found: dict[str, Any]) -> Transcript:
    said = tuple(
        Utterance(tuple(Word(**word) for word in each["words"]), each["speaker"], each["language"])
        for each in found["segments"]
    )
    return Transcript(said, found["duration"], found["language"])


async def check(page: Page, transcripts: Sequence[Transcript], *, words: bool) -> None:
    """Check what the browser makes of them."""
    files = [write(said, "vtt", words=words) for said in transcripts]
    found = await page.evaluate(_READ, files)
    for said, (state, shown) in zip(transcripts, found, strict=True):
        assert state == "loaded", said
        expected = cues(said)
        assert [each["text"].replace("\u2060", "") for each in shown] == [
            text(cue).replace("\u2060", "") for cue in expected
        ]
        assert [each["elements"] for each in shown] == [voice(cue) for cue in expected]
        assert [(each["start"], each["end"]) for each in shown] == [
            (cue.start_ms / 1000, cue.end_ms / 1000) for cue in expected
        ]
        assert all(one["start"] < other["start"] for one, other in pairwise(shown))
        for each in shown:
            check_marks(each)


def check_marks(cue: dict[str, Any]) -> None:
    """Check that the words' times are within their cue, and increase."""
    times = [cue["start"], *map(seconds, cue["marks"]), cue["end"]]
    assert all(one < other for one, other in pairwise(times))


def seconds(mark: str) -> float:
    """Return what `00:01:02.500` is in seconds."""
    hours, minutes, rest = mark.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def text(cue: Cue) -> str:
    """Return what is to be shown."""
    return "\n".join(text_of(line) for line in cue.lines)


def voice(cue: Cue) -> list[list[str]]:
    """Return the elements of a cue: its speaker's, who is its title."""
    name = clean(cue.speaker)
    return [["span", name]] if name else []


@pytest.mark.parametrize("words", [False, True])
async def test_a_browser_reads_every_conversation(page: Page, words: bool) -> None:
    """All cues are there, with their times, text and voices. Spec: transcripts/Subtitles."""
    await check(page, nasty(), words=words)
    await check(page, await asyncio.to_thread(drawn), words=words)


async def test_a_browser_reads_what_was_recognised(page: Page, tmp_path: Path) -> None:
    """From the command, as it was written. Spec: transcripts/Subtitles."""
    said, files = await asyncio.to_thread(real, tmp_path)
    for words in (False, True):
        await check(page, said, words=words)
    found = await page.evaluate(_READ, files)
    for transcript, (state, shown) in zip(said, found, strict=True):
        assert state == "loaded"
        spoken = " ".join(" ".join(each["text"] for each in shown).split())
        assert spoken == transcript.text
        assert any(each["marks"] for each in shown)
