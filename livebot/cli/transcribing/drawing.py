"""Transcripts as pictures, with the sound of their recordings."""

import asyncio
from pathlib import Path

from livebot.errors import RecordingError
from livebot.recordings.peaks import peaks_of
from livebot.transcripts.model import Transcript
from livebot.transcripts.plot import svg


async def draw(recording: Path, transcript: Transcript) -> str:
    """Return the picture, as SVG; what was understood is drawn also where its sound cannot be."""
    try:
        peaks = await peaks_of(recording)
    except RecordingError:
        peaks = None
    return await asyncio.to_thread(svg, transcript, peaks)
