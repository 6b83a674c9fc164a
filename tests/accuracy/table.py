"""What was measured, for people (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.accuracy.times import Errors
from tests.support.wer import Wer

HEAD = (
    "model", "path", "WER", "wrong words", "processor time per second of audio",
    "time per second of audio", "memory of a worker",
)  # fmt: skip
TIMES_HEAD = ("model", "path", "words compared", "starts", "ends", "out of order")


@dataclass(frozen=True, slots=True)
class Result:
    """One path with one model.

    Attributes:
        model: What users call it.
        path: The way that speech went.
        wer: Over all recordings.
        errors: Of the words' times, over the recordings that have any.
        disorder: Words that end before they start, or come before one before them.
        cpu_s: Processor time per second of audio.
        wall_s: Time per second of audio; None where it goes as fast as people speak.
        memory_mb: Of a worker.
    """

    model: str
    path: str
    wer: Wer
    errors: Errors
    disorder: int
    cpu_s: float
    wall_s: float | None
    memory_mb: float


def render(results: Sequence[Result]) -> str:
    """Return both tables as Markdown."""
    first = [
        (
            one.model,
            one.path,
            f"{one.wer.rate:.1%}",
            f"{one.wer.wrong} of {one.wer.words}",
            f"{one.cpu_s:.3f} s",
            "-" if one.wall_s is None else f"{one.wall_s:.3f} s",
            f"{one.memory_mb:.0f} MiB",
        )
        for one in results
    ]
    second = [
        (
            one.model,
            one.path,
            f"{len(one.errors.starts)} of {one.errors.words}",
            one.errors.start_text,
            one.errors.end_text,
            str(one.disorder),
        )
        for one in results
    ]
    return f"{_table(HEAD, first)}\n{_table(TIMES_HEAD, second)}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
