"""A Whisper of a few hundred kilobytes that hears tones: its files are made here, and are real.

Each pitch of `speech()` stands for one token: the decoder's place in the text asks for the
pitch of its number, finds it by cross attention among the encoder's frames, and writes its
token; where the pitch is not to be heard it ends the text. So what it writes, when, and in
which language follows from the sound alone, while tokenizer, features, weights, prompts,
prefixes and alignment are those of any Whisper.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.attention_spec import MultiHeadAttentionSpec
from ctranslate2.specs.common_spec import LayerNormSpec, LinearSpec
from ctranslate2.specs.transformer_spec import FeedForwardSpec
from ctranslate2.specs.whisper_spec import WhisperEncoderSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from livebot.audio.pcm import Samples

TOKENS = (
    " zero", " one", ",", " two", " thr", "ee", ".", " Four", " five", " six",
    "ty", " seven", "!", " Eight", " nine", " ten",
)  # fmt: skip
"""What each pitch says; those without a space go on with the word before."""

LANGUAGES = ("en", "de", "fr", "ja")
"""The first ones of the model's; `accent()` says which one is spoken."""

BURST_S = 0.25
GAP_S = 0.15

_RAMP_S = 0.02
_RATE_HZ = 16_000
_WIDTH = 64
_MELS = 80
_FRAMES = 1500
_PLACES = 448
_ACCENTS = len(TOKENS)
_CHANNELS = len(TOKENS) + len(LANGUAGES)
"""The tokens' pitches, then the languages' ones."""
_HEARD = slice(0, _CHANNELS)
_PLACE = slice(_CHANNELS, _WIDTH)
"""What is in a vector of the decoder: what was heard, and where in the text we are."""

_TEXT_TOKENS = 50_257
_ALL_LANGUAGES = 99

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Burst:
    """A pitch in the sound: which token it says, and when."""

    token: int
    start_s: float
    end_s: float


def bursts(count: int, *, lead_s: float = 0.3, first: int = 0) -> list[Burst]:
    """Return when `speech()` says what."""
    step_s = BURST_S + GAP_S
    return [
        Burst(first + i, lead_s + i * step_s, lead_s + i * step_s + BURST_S) for i in range(count)
    ]


def speech(
    said: Sequence[Burst], *, total_s: float, language: str = "en", loud: float = 0.5
) -> Samples:
    """Return the sound of tones in 16 kHz, with the language's tone under each of them."""
    out = np.zeros(int(total_s * _RATE_HZ), np.float32)
    accent = _ACCENTS + LANGUAGES.index(language)
    for burst in said:
        at = slice(int(burst.start_s * _RATE_HZ), int(burst.end_s * _RATE_HZ))
        times = np.arange(at.stop - at.start) / _RATE_HZ
        # Without clicks, which have all pitches.
        shape = np.minimum(1, np.minimum(times, times[::-1]) / _RAMP_S) * loud / 2
        for channel in (burst.token, accent):
            tone = np.sin(2 * np.pi * _pitch_hz(channel) * times) * shape
            out[at] += tone[: len(out[at])]
    return out


def make(folder: Path, *, english: bool = False, random_seed: int | None = None) -> Path:
    """Write the model's files.

    Args:
        folder: Is made where it is not.
        english: Whether it knows English only, as `tiny.en` does.
        random_seed: Make a model with random weights instead of one that hears tones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = _text_tokens(english=english)
    special = _special_tokens()
    _save_tokenizer(folder / "tokenizer.json", text, special)
    spec = WhisperSpec(1, 1, 1, 1)
    names = [*text, *special]
    if random_seed is None:
        _Tones(names, prompt=1 if english else 3).fill(spec)
    else:
        _randomise(spec, names, random_seed)
    spec.register_vocabulary(names)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [names.index("Ġ"), names.index("<|endoftext|>")]
    first = names.index("<|startoftranscript|>") + 1
    spec.config.lang_ids = list(range(first, first + _ALL_LANGUAGES))
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.save(str(folder))
    return folder


def _text_tokens(*, english: bool) -> list[str]:
    """Return the vocabulary of text in GPT-2's byte alphabet: bytes, ours, and filling."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    ours = [token.replace(" ", "Ġ") for token in TOKENS]
    # What is in the alphabet already, like a comma, keeps its place there.
    made = list(dict.fromkeys([*alphabet, *ours]))
    made += [f"Ġw{i}" for i in range(_TEXT_TOKENS - 1 - len(made))]
    # By the empty token CTranslate2 knows a model of many languages.
    return made if english else [*made, ""]


def _special_tokens() -> list[str]:
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    codes = [code for code in _LANGUAGE_CODES if code not in LANGUAGES]
    languages = [*LANGUAGES, *codes][:_ALL_LANGUAGES]
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    names = ["endoftext", "startoftranscript", *languages, *tasks]
    return [f"<|{name}|>" for name in names] + [f"<|{i * 0.02:.2f}|>" for i in range(1501)]


def _save_tokenizer(path: Path, text: list[str], special: list[str]) -> None:
    vocabulary = {token: i for i, token in enumerate(text)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token in special])
    made.save(str(path))


def _mel_hz(band: int) -> float:
    """Return the pitch at the middle of a band of the mel scale (Slaney's, 80 bands to 8 kHz)."""
    mel = (band + 1) * 45.245640471924965 / (_MELS + 1)
    return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def _band(channel: int) -> int:
    return 5 + 3 * channel


def _pitch_hz(channel: int) -> float:
    return _mel_hz(_band(channel))


class _Tones:
    """Weights that hear tones.

    Args:
        names: The vocabulary.
        prompt: The place in the prompt from which the first token of text is written.
    """

    THRESHOLD = 0.4
    """Of the normalised logarithm of the energy."""

    def __init__(self, names: list[str], *, prompt: int) -> None:
        self._ids = {name: i for i, name in enumerate(names)}
        self._prompt = prompt

    def fill(self, spec: WhisperSpec) -> None:
        """Set all weights."""
        self._encoder(spec.encoder)
        decoder = spec.decoder
        decoder.embeddings.weight = np.zeros((len(self._ids), _WIDTH), np.float32)
        places = np.zeros((_PLACES, _WIDTH), np.float32)
        known = np.arange(_CHANNELS, _WIDTH)
        places[known - _CHANNELS, known] = 1
        decoder.position_encodings.encodings = places
        _norm(decoder.layer_norm)
        (layer,) = decoder.layer
        _silence(layer.self_attention, layer.ffn)
        self._cross(layer.attention)
        self._projection(decoder.projection)

    def _encoder(self, encoder: WhisperEncoderSpec) -> None:
        """Give each frame the pitches that are in it; silence is nothing at all."""
        first = np.zeros((_WIDTH, _MELS, 3), np.float32)
        for channel in range(_CHANNELS):
            first[channel, _band(channel), 1] = 10
        second = np.zeros((_WIDTH, _WIDTH, 3), np.float32)
        second[:, :, 1] = np.eye(_WIDTH)
        encoder.conv1.weight = first
        encoder.conv1.bias = np.full(_WIDTH, -10 * self.THRESHOLD, np.float32)
        encoder.conv2.weight = second
        encoder.conv2.bias = np.zeros(_WIDTH, np.float32)
        encoder.position_encodings.encodings = np.zeros((_FRAMES, _WIDTH), np.float32)
        _norm(encoder.layer_norm)
        (layer,) = encoder.layer
        _silence(layer.self_attention, layer.ffn)

    def _cross(self, attention: MultiHeadAttentionSpec) -> None:
        """Ask for the pitch of the own place, and take along what is heard there."""
        ask = np.zeros((_WIDTH, _WIDTH), np.float32)
        for token in range(len(TOKENS)):
            ask[token, _CHANNELS + self._prompt + token] = 10
        same = np.eye(_WIDTH, dtype=np.float32)
        _norm(attention.layer_norm)
        for linear, weight in zip(
            attention.linear, (ask, np.concatenate([same, same]), same), strict=True
        ):
            _set(linear, weight)

    def _projection(self, projection: LinearSpec) -> None:
        weight = np.zeros((len(self._ids), _WIDTH), np.float32)
        bias = np.full(len(self._ids), -30, np.float32)
        for channel, token in enumerate(TOKENS):
            weight[self._ids[token.replace(" ", "Ġ")], channel] = 6
        for channel, code in enumerate(LANGUAGES, _ACCENTS):
            weight[self._ids[f"<|{code}|>"], channel] = 20
            weight[self._ids["<|nospeech|>"], channel] = -20
        bias[self._ids["<|endoftext|>"]] = 0
        bias[self._ids["<|nospeech|>"]] = 5
        projection.weight, projection.bias = weight, bias


def _norm(norm: LayerNormSpec) -> None:
    norm.gamma = np.ones(_WIDTH, np.float32)
    norm.beta = np.zeros(_WIDTH, np.float32)


def _set(linear: LinearSpec, weight: Floats) -> None:
    linear.weight = weight
    linear.bias = np.zeros(len(weight), np.float32)


def _silence(attention: MultiHeadAttentionSpec, ffn: FeedForwardSpec) -> None:
    """Let the parts of a layer that nothing here needs add nothing."""
    nothing = np.zeros((_WIDTH, _WIDTH), np.float32)
    _norm(attention.layer_norm)
    _set(attention.linear[0], np.concatenate([nothing] * 3))
    _set(attention.linear[1], nothing)
    _norm(ffn.layer_norm)
    _set(ffn.linear_0, nothing)
    _set(ffn.linear_1, nothing)


def _randomise(spec: WhisperSpec, names: list[str], seed: int) -> None:
    """Set all weights by chance: what such a model says is noise, but always the same noise."""
    _Tones(names, prompt=3).fill(spec)
    chance = np.random.default_rng(seed)
    for name, value in spec.variables().items():
        if isinstance(value, np.ndarray) and value.ndim:
            mean = float(name.endswith("gamma"))
            value[...] = chance.normal(mean, 0.3, value.shape)
