"""Word error rate, speed, memory and word times of every model there is, on every path.

`AUDIO` names another folder with recordings (`corpus.py`), `ACCURACY_TABLE` a file to write the
tables to. What is slow is told, not judged: machines differ.
"""

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from livebot.errors import EngineError
from livebot.stt.model import ModelSpec
from livebot.stt.models import find, names
from tests.accuracy import paths
from tests.accuracy.corpus import Entry, entries
from tests.accuracy.paths import Run
from tests.accuracy.table import Result, render
from tests.accuracy.times import NONE, compare, disorder
from tests.support.wer import total, wer

AGREE = 0.01
"""Word error rates of two paths may differ by so much."""


def specs() -> Iterator[ModelSpec]:
    """Yield the models that are on this machine."""
    folder, cache = (os.environ.get(name) for name in ("LT_MODEL_DIR", "LT_MODEL_CACHE"))
    for name in names():
        try:
            yield find(
                name,
                model_dir=Path(folder) if folder else None,
                cache=Path(cache) if cache else None,
                device="auto",
                compute_type="auto",
            )
        except EngineError:
            continue


@pytest.fixture(scope="module")
def results() -> Iterator[list[Result]]:
    """Collect what the tests measure; print it, and write it where it is wanted."""
    found: list[Result] = []
    yield found
    text = render(found)
    print(f"\n{len(entries())} recordings, {_duration_s():.0f} s\n\n{text}")  # noqa: T201
    if where := os.environ.get("ACCURACY_TABLE"):
        _write(Path(where), text)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("spec", [pytest.param(spec, id=spec.name) for spec in specs()])
async def test_all_paths_agree(spec: ModelSpec, results: list[Result]) -> None:
    """A word is understood alike wherever it comes from, and its times make sense.

    Spec: local-engines/Same words on every way.
    """
    ways: Sequence[tuple[str, Callable[[Sequence[Entry]], Awaitable[Run]]]] = (
        ("bare model", partial(paths.bare, spec)),
        ("file", partial(paths.files, spec.name)),
        ("live", partial(paths.live, spec.name)),
        ("daemon", partial(paths.daemon, spec.name)),
    )
    found = [_result(spec.name, way, await measure(entries())) for way, measure in ways]
    results.extend(found)

    assert {one.path: one.disorder for one in found} == {way: 0 for way, _ in ways}
    rates = {one.path: round(one.wer.rate, 4) for one in found}
    assert all(abs(rate - rates["bare model"]) <= AGREE for rate in rates.values()), rates


def _result(model: str, path: str, run: Run) -> Result:
    texts = {name: " ".join(word.text for word in words) for name, words in run.words.items()}
    compared = (compare(one.words, run.words[one.name]) for one in entries() if one.words)
    return Result(
        model=model,
        path=path,
        wer=total(wer(one.text, texts[one.name]) for one in entries()),
        errors=sum(compared, NONE),
        disorder=sum(len(disorder(words)) for words in run.words.values()),
        cpu_s=run.cpu_s / _duration_s(),
        wall_s=None if path == "live" else run.wall_s / _duration_s(),
        memory_mb=run.memory_mb,
    )


def _duration_s() -> float:
    return sum(one.duration_s for one in entries())


def _write(path: Path, tables: str) -> None:
    """Replace the tables in a document; what stands before them stays."""
    before, _, _ = path.read_text(encoding="utf-8").partition("| model |")
    path.write_text(before + tables, encoding="utf-8")
