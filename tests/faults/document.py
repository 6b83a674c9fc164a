"""The table as a document for those who run the bot."""

import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version

from tests.faults import table

_PACKAGES = ("nextcloud-spreed-signaling", "janus", "coturn", "chromium")

_TEXT = """\
# What happens when something fails

Written by `make faults`, which lets every peer of a call fail while two people talk, and
compares what they said with the captions that a third person got. The peers are real: the
bot as `livebot serve`, {packages}, and the
embedded engine, in the bot or as `livebot stt-server`. Python {python}, aiortc {aiortc}.

{table}

- **words spoken**: by both people, before, during and after the fault, while they were in the
  call. They talk all the time, from recordings whose words and their times are known.
- **delivered, lost**: words that came in a caption, and words that never came. The two texts are
  aligned as for a word error rate; a word that the engine took for another one is delivered.
- **told, counted, silent**: of the words that are lost two or more in a row, how many the reader
  was told of by a notice; how many were too few for a notice, but are in the bot's counters; and
  how many nobody was told of, which must be none. Single words are the engine's own noise.
- **announced to the reader**: the notices, in the names of both people.
- **counted**: by how much `transcription_gap_seconds_total` rose.
- **back after**: from the end of the fault to the first caption, for both people, of words
  spoken after it. An ordinary caption takes one to three seconds, a pause in the talk included.
- **others late by**: where the fault is one speaker's alone, how much later than otherwise the
  words of the other came meanwhile, at worst; more than a second is a failure of the test.
- **health check**: what `GET /healthz` gave as reasons meanwhile.
- **machine late by**: how late the test itself was at worst.

Three or four scenarios run side by side; one that failed there was performed again, alone.

A bad network is a relay before the TURN server that loses, delays and reorders media by seeded
chance. Where a server ends, people come back to the call as browsers do: after the signaling
server by themselves and as new sessions, after Janus by leaving the call and joining again.
"""


def text(rows: Sequence[Sequence[str]]) -> str:
    """Return the document."""
    return _TEXT.format(
        packages=", ".join(f"{name} {_installed(name)}" for name in _PACKAGES),
        python=platform.python_version(),
        aiortc=version("aiortc"),
        table="\n".join(table.markdown(rows)),
    )


def _installed(package: str) -> str:
    """Return the version of a Debian package."""
    asked = ["dpkg-query", "-W", "-f=${Version}", package]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout
