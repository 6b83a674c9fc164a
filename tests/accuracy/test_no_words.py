"""Ten minutes of each sound that is no speech: the embedded engine's models give no words."""

from collections.abc import Iterator

import pytest

from livebot.audio.pcm import Samples
from livebot.stt.local.files import model_folder, vad_file
from livebot.stt.local.moonshine import Moonshine
from livebot.stt.local.offline import transcribe
from livebot.stt.local.vad import VadModel
from livebot.stt.model import Heard
from tests.accuracy.sounds import KINDS, make

SECONDS = 600.0
LEVELS = (-60.0, -45.0, -30.0, -15.0)


@pytest.fixture(scope="module")
def models() -> tuple[Moonshine, VadModel]:
    """Load the models."""
    return Moonshine(model_folder()), VadModel(vad_file())


@pytest.fixture(scope="module")
def heard() -> Iterator[dict[str, int]]:
    """Count the pieces that the model was asked about: so often could it have invented words."""
    found: dict[str, int] = {}
    yield found
    head = f"{SECONDS / 60:.0f} minutes each at {len(LEVELS)} levels: pieces taken for speech"
    rows = [f"{kind}: {count}" for kind, count in found.items()]
    print("", head, *rows, sep="\n")  # noqa: T201


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_ten_minutes_give_no_words(
    kind: str, models: tuple[Moonshine, VadModel], heard: dict[str, int]
) -> None:
    """At four levels, the loudest near the limit. Spec: local-engines/No invented words."""
    model, voice = models
    heard[kind] = 0

    def listen(samples: Samples) -> Heard:
        heard[kind] += 1
        return model.listen(samples)

    for seed, level_db in enumerate(LEVELS):
        sound = make(kind, SECONDS, level_db=level_db, seed=seed)
        assert transcribe(sound, listen, voice.stream()) == []
