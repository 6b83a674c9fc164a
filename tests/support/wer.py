"""Word error rate: how much of what was said is not in what was understood."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import jiwer


@dataclass(frozen=True, slots=True)
class Wer:
    """A comparison of two texts after Whisper's rules for English.

    Attributes:
        wrong: Words substituted, left out or made up.
        words: Words in the reference.
        diff: What differs, one piece after the other, as `[said -> understood]`; empty
            when the texts agree.
    """

    wrong: int
    words: int
    diff: str

    @property
    def rate(self) -> float:
        """Return wrong words per word said; above 1 when more was made up than said."""
        return self.wrong / self.words if self.words else float(self.wrong > 0)

    def __str__(self) -> str:
        return f"WER {self.rate:.1%} ({self.wrong} of {self.words} words) {self.diff}".rstrip()


@cache
def _normalizer() -> Callable[[str], str]:
    with warnings.catch_warnings():
        # The package has an invalid escape in a docstring, which Python warns of once.
        warnings.simplefilter("ignore")
        from whisper_normalizer.english import EnglishTextNormalizer
    normalizer: Callable[[str], str] = EnglishTextNormalizer()
    return normalizer


def normalized(text: str) -> str:
    """Return *text* without case, punctuation and the other things that do not count."""
    return _normalizer()(text)


def wer(said: str, understood: str) -> Wer:
    """Compare what was said with what was understood."""
    reference, hypothesis = normalized(said).split(), normalized(understood).split()
    if not reference:
        return Wer(len(hypothesis), 0, _piece([], hypothesis) if hypothesis else "")
    out = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    pieces = [
        _piece(
            reference[c.ref_start_idx : c.ref_end_idx], hypothesis[c.hyp_start_idx : c.hyp_end_idx]
        )
        for c in out.alignments[0]
        if c.type != "equal"
    ]
    wrong = out.substitutions + out.deletions + out.insertions
    return Wer(wrong, len(reference), " ".join(pieces))


def total(parts: Iterable[Wer]) -> Wer:
    """Add up several comparisons."""
    every = list(parts)
    return Wer(
        sum(p.wrong for p in every),
        sum(p.words for p in every),
        " ".join(p.diff for p in every if p.diff),
    )


def _piece(said: list[str], understood: list[str]) -> str:
    return f"[{' '.join(said)} -> {' '.join(understood)}]"
