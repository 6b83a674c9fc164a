"""Whisper's real loading code, tokenizer, decoder and alignment, on a model made for tests.

One hears tones (`tiny_whisper.speech`), so that what is said, when and in which language is
known; another has random weights and says what chance wants.
"""

import asyncio
import itertools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import faster_whisper
import numpy as np
import pytest
from faster_whisper import tokenizer as tokens
from hypothesis import given, settings
from hypothesis import strategies as st

from livebot.audio.pcm import Samples
from livebot.errors import EngineError
from livebot.stt.engine import Pause, Word
from livebot.stt.local.streaming import SpeechStream
from livebot.stt.local.utterances import WINDOW
from livebot.stt.model import RATE_HZ, HeardWord, ModelSpec, SpeechModel
from livebot.stt.models import find, provide
from livebot.stt.whisper import guards, languages
from livebot.stt.whisper import model as whisper
from livebot.stt.whisper.device import Machine
from tests.support import tiny_whisper
from tests.support.model_hub import Fault, ModelHub
from tests.support.tiny_whisper import BURST_S, Burst, bursts, speech

SAID = ["zero", "one,", "two", "three.", "Four", "five", "sixty", "seven!", "Eight", "nine", "ten"]
FIRST = [0, 1, 3, 4, 7, 8, 9, 11, 13, 14, 15]
"""The burst with which each word begins."""

NEAR_S = 0.04

ALL = len(tiny_whisper.TOKENS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the model that hears tones."""
    return tiny_whisper.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(folder: Path) -> SpeechModel:
    """Load it as workers do."""
    return whisper.load(ModelSpec("whisper", "tiny", str(folder)))


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> SpeechModel:
    """Load a model that says what chance wants."""
    made = tiny_whisper.make(tmp_path_factory.mktemp("noise"), random_seed=1)
    return whisper.load(ModelSpec("whisper", "noise", str(made), compute_type="float32"))


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> SpeechModel:
    """Load a model that knows English only."""
    made = tiny_whisper.make(tmp_path_factory.mktemp("tiny.en"), english=True)
    return whisper.load(ModelSpec("whisper", "tiny.en", str(made)))


def sound(count: int, *, total_s: float = 8.0, language: str = "en") -> Samples:
    """Return the first tokens as sound."""
    return speech(bursts(count), total_s=total_s, language=language)


def texts(words: Sequence[HeardWord]) -> list[str]:
    """Return what was heard."""
    return [word.text for word in words]


def test_words_are_heard(model: SpeechModel) -> None:
    """With their endings and punctuation, and no others after the last."""
    heard = model.listen(sound(ALL), language="en")

    assert texts(heard.words()) == SAID
    assert not any(word.joined for word in heard.words())


def test_words_begin_where_they_are_spoken(model: SpeechModel) -> None:
    """Wherever in the piece, by the decoder's attention: not in the gap before.

    Spec: speech-models/Words of a model.
    """
    gaps = itertools.accumulate([0.7, *(BURST_S + gap for gap in (0.1, 0.6, 0.15, 1.5, 0.1, 0.3))])
    said = [Burst(i, start, start + BURST_S) for i, start in enumerate(gaps)]
    heard = model.listen(speech(said, total_s=7), language="en")
    words = heard.words()

    found = heard.starts((), words, after_s=0)

    assert texts(words) == SAID[:4]
    for start, burst in zip(found, (said[i] for i in FIRST), strict=False):
        assert abs(start - burst.start_s) < NEAR_S
    later = heard.starts(words[:2], words[2:], after_s=said[3].start_s + 0.1)
    assert later[0] == pytest.approx(said[3].start_s + 0.1)
    assert later[1] == pytest.approx(found[3], abs=NEAR_S)


@pytest.mark.parametrize("count", [0, 1, 7, ALL])
def test_what_is_known_is_taken_for_granted(model: SpeechModel, count: int) -> None:
    """Whatever was given out, the rest follows; after all of it, nothing does.

    Spec: speech-models/Words of a model.
    """
    heard = model.listen(sound(count), language="en")
    words = heard.words()

    for known in range(len(words) + 1):
        assert heard.words(words[:known]) == words[known:]


def test_a_prefix_is_never_changed(model: SpeechModel) -> None:
    """Not where the model would have written something else."""
    heard = model.listen(sound(5), language="en")
    words = heard.words()
    other = HeardWord("Eight", model.listen(sound(ALL), language="en").words()[8].tokens)

    assert texts(words) == ["zero", "one,", "two", "thr"]
    assert heard.words([other, *words[1:3]]) == words[3:]


def test_the_language_is_detected(model: SpeechModel) -> None:
    """Of the first 30 s; and the prompt is in the one that is asked for.

    Spec: speech-models/Language of speech.
    """
    for language in tiny_whisper.LANGUAGES:
        found = model.detect(sound(3, language=language))
        assert found.language == language
        assert found.probability > 0.9
    assert 0 <= model.detect(np.zeros(0, np.float32)).probability < 0.1
    assert set(tiny_whisper.LANGUAGES) <= set(model.languages) <= set(languages.NAMES)


def test_languages_without_spaces(model: SpeechModel) -> None:
    """Every piece is a word, joined to the one before; punctuation is no word."""
    words = model.listen(sound(7, language="ja"), language="ja").words()

    assert texts(words) == ["zero", "one,", "two", "thr", "ee."]
    assert [word.joined for word in words] == [False, False, False, False, True]


def test_english_of_other_languages(model: SpeechModel, folder: Path) -> None:
    """Asked for by the prompt; English has spaces, whatever language is spoken."""
    heard = model.listen(sound(ALL, language="ja"), language="ja", translate=True)

    assert model.translates
    assert texts(heard.words()) == SAID
    assert abs(heard.starts((), heard.words(), after_s=0)[1] - 0.7) < NEAR_S
    assert not whisper.load(ModelSpec("whisper", "large-v3-turbo", str(folder))).translates


def test_english_models_know_no_other(english: SpeechModel) -> None:
    """They are not asked which language it is, and their prompt is shorter."""
    heard = english.listen(sound(ALL), language="en")

    assert dict(english.languages) == {"en": "English"}
    assert not english.translates
    assert english.detect(sound(2, language="de")).language == "en"
    assert texts(heard.words()) == SAID
    assert abs(heard.starts((), heard.words(), after_s=0)[0] - 0.3) < NEAR_S


@pytest.mark.parametrize("seconds", [0, 1 / RATE_HZ, 0.01, 0.2, 5, 29.99, 30, 31, 60])
def test_any_length_will_do(model: SpeechModel, seconds: float) -> None:
    """From nothing at all to more than the model hears; silence has no words."""
    heard = model.listen(np.zeros(round(seconds * RATE_HZ), np.float32), language="en")
    word = HeardWord("zero", (256,))

    assert heard.words() == []
    assert len(heard.starts([word], [word, word], after_s=0.1)) == 2


def test_silence_would_have_words_but_for_the_guard(
    model: SpeechModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model must write something where it hears nothing: the guard forgets it.

    Spec: speech-models/No invented words.
    """
    silence = np.zeros(RATE_HZ, np.float32)
    assert model.listen(silence, language="en").words() == []
    monkeypatch.setattr(guards, "is_silence", lambda *_: False)

    assert model.listen(silence, language="en").words() != []


def test_a_loop_is_cut_off(model: SpeechModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the decoder is caught, what it was caught in stands there once."""
    heard = model.listen(sound(1), language="en")
    monkeypatch.setattr(heard, "_write", lambda _: [258] + [256, 257, 11] * 30)

    assert texts(heard.words()) == ["two", "zero", "one,"]


def test_what_is_beyond_the_window_is_not_heard(model: SpeechModel) -> None:
    """30 s are heard, whatever comes behind."""
    late = speech([Burst(0, 29.0, 29.25), Burst(1, 30.5, 30.75)], total_s=32)

    assert texts(model.listen(late, language="en").words()) == ["zero"]


def test_features_are_those_of_sound_with_silence_behind(folder: Path) -> None:
    """Filling up the features is the same as filling up the sound, as in training, and quicker."""
    loaded = faster_whisper.WhisperModel(str(folder), device="cpu", compute_type="float32")
    samples = sound(4, total_s=2.345)
    whole = loaded.feature_extractor(np.pad(samples, (0, 30 * RATE_HZ - len(samples))), padding=0)

    encoded, loud = whisper.Whisper(loaded).encode(samples)

    np.testing.assert_allclose(np.array(encoded), np.array(loaded.encode(whole)), atol=1e-4)
    assert len(loud) == 234


@settings(max_examples=10)
@given(st.data())
def test_laws_hold_whatever_the_model_says(noise: SpeechModel, data: st.DataObject) -> None:
    """Random weights, random sound, random prefixes: nothing breaks, and nothing is by chance."""
    seed = data.draw(st.integers(0, 99))
    size = data.draw(st.integers(0, RATE_HZ))
    samples = np.random.default_rng(seed).normal(0, 0.1, size).astype(np.float32)
    language = data.draw(st.sampled_from(sorted(noise.languages)))
    heard = noise.listen(samples, language=language)
    words = heard.words()
    known = words[: data.draw(st.integers(0, len(words)))]
    strange = [HeardWord("x", (i,)) for i in data.draw(st.lists(st.integers(0, 50_000)))]
    after_s = data.draw(st.floats(0, 2))

    for prefix in (known, strange):
        more = heard.words(prefix)
        assert more == heard.words(prefix)
        assert all(word.text and word.tokens for word in more)
        assert all(token < 50_257 for word in more for token in word.tokens)
        found = heard.starts(prefix, more, after_s=after_s)
        assert len(found) == len(more)
        assert found == sorted(found)
        assert all(after_s <= start <= max(after_s, size / RATE_HZ, 0.01) for start in found)
    detected = noise.detect(samples)
    assert detected.language in noise.languages
    assert 0 <= detected.probability <= 1


def test_texts_as_long_as_the_decoder_can_have(noise: SpeechModel) -> None:
    """A prefix that fills the decoder leaves no room, and does not break it."""
    heard = noise.listen(np.zeros(25 * RATE_HZ, np.float32), language="en")

    every = [HeardWord("x", (300 + i,)) for i in range(1000)]
    for count in (220, 223, 224, 448, 1000):
        prefix = every[:count]
        assert len(heard.words(prefix)) <= max(0, 224 - count)
        assert len(heard.starts(prefix, prefix[:9], after_s=0)) == 9
    assert len(heard.starts((), every, after_s=0)) == 1000


def test_a_stream_gives_each_word_once(model: SpeechModel) -> None:
    """Live, through the stable prefix: the words of the whole, with times that rise."""
    said = bursts(ALL, lead_s=0.5)
    samples = speech(said, total_s=8)

    def voice(windows: Samples) -> list[float]:
        return [float(np.abs(window).max() > 0.01) for window in windows.reshape(-1, WINDOW)]

    stream = SpeechStream(lambda piece: model.listen(piece, language="en"), voice)
    events: list[object] = []
    for at in range(0, len(samples), 4800):
        stream.push(samples[at : at + 4800])
        while stream.wants():
            events += stream.run()
    stream.finish()
    while stream.wants():
        events += stream.run()

    words = [event for event in events if isinstance(event, Word)]
    assert [word.text for word in words] == SAID
    assert isinstance(events[-1], Pause)
    for word, first in zip(words, FIRST, strict=True):
        assert word.start is not None
        assert word.end is not None
        assert abs(word.start - said[first].start_s) < 0.1
        assert word.start < word.end


async def test_a_downloaded_model_hears(folder: Path, tmp_path: Path) -> None:
    """From the hub, cut off on the way, to words."""
    hub = ModelHub.of(folder)
    hub.spoil("model.bin", [Fault("cut", 5_000_000)])
    async with hub.serve():
        spec = await provide("tiny", cache=tmp_path, source=hub.url, compute_type="float32")

    loaded = await asyncio.to_thread(whisper.load, spec)

    assert texts(loaded.listen(sound(4), language="en").words()) == SAID[:3]


def test_a_folder_is_a_model(folder: Path) -> None:
    """As people have who made their own."""
    spec = find(str(folder))

    assert (spec.family, spec.name) == ("whisper", folder.name)


def broken(folder: Path, to: Path, name: str, data: bytes | None) -> ModelSpec:
    """Return a copy of the model with a file that is wrong, or missing."""
    shutil.copytree(folder, to, dirs_exist_ok=True)
    if data is None:
        (to / name).unlink()
    else:
        (to / name).write_bytes(data)
    return ModelSpec("whisper", "mine", str(to))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("model.bin", b"no model"),
        ("model.bin", None),
        ("config.json", b"{"),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", None),
        ("vocabulary.json", None),
        ("preprocessor_config.json", json.dumps({"feature_size": 128}).encode()),
    ],
)
def test_a_model_that_does_not_work_is_told(
    folder: Path, tmp_path: Path, name: str, data: bytes | None
) -> None:
    """In one line, and without asking a hub for what is missing."""
    with pytest.raises(EngineError) as caught:
        whisper.load(broken(folder, tmp_path, name, data))

    assert not caught.value.retryable
    assert "\n" not in str(caught.value)


def test_a_gpu_without_its_libraries_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `auto` the model runs on the CPU then; who asked for the GPU is told.

    Spec: speech-models/Device.
    """
    with_gpu = Machine(lambda: 1, lambda _: {"float16", "int8"})
    monkeypatch.setattr(whisper, "_machine", lambda: with_gpu)

    model = whisper.load(ModelSpec("whisper", "tiny", str(folder)))

    assert texts(model.listen(sound(1), language="en").words()) == ["zero"]
    with pytest.raises(EngineError, match="the model tiny does not work on cuda: "):
        whisper.load(ModelSpec("whisper", "tiny", str(folder), device="cuda"))


def test_contract_with_faster_whisper(folder: Path) -> None:
    """What we use of it is there; after an update that breaks this, look into whisper/model.py."""
    known = set(tokens._LANGUAGE_CODES)
    assert known == {languages.own(code) for code in languages.NAMES}, "other languages"
    loaded = faster_whisper.WhisperModel(
        str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1
    )
    assert loaded.feature_extractor.mel_filters.shape == (80, 201), "other features"
    assert isinstance(loaded.model, ctranslate2.models.Whisper), "another model"
    made = tokens.Tokenizer(loaded.hf_tokenizer, True, task="transcribe", language="en")  # noqa: FBT003
    assert made.sot_sequence == [50_258, 50_259, 50_359], "another prompt"
    assert made.timestamp_begin == made.no_timestamps + 1 == 50_364, "other timestamps"
    said = [" zero", " one", ","], [[256], [257], [11]]
    assert made.split_tokens_on_spaces([256, 257, 11]) == said, "other words"
    assert made.split_tokens_on_unicode([256, 257, 11]) == said, "other letters"
    assert set(made.non_speech_tokens) < set(range(50_257)), "other signs"
