"""What each recording becomes, and where that goes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from livebot.cli.transcribing.inputs import Input
from livebot.errors import ConfigError
from livebot.transcripts.export import FORMATS

STDOUT: Final = "-"
DEFAULT: Final = "txt"
PLOT: Final = "svg"
"""Besides all forms: the transcript as a picture."""

_READABLE: Final = frozenset({"txt", "md"})
"""Forms of which several may follow each other on stdout, with headings."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with one recording.

    Attributes:
        input: The recording.
        outputs: Forms and the files they go to.
    """

    input: Input
    outputs: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        jobs: In order.
        printed: The form that goes to stdout; empty where nothing does but JSON lines.
        headings: Whether several transcripts follow each other there.
        faults: Recordings whose transcripts cannot be written, and why, with the cure.
    """

    jobs: tuple[Job, ...]
    printed: str = ""
    headings: bool = False
    faults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked for.

    Attributes:
        forms: Names of forms; empty where nothing was said.
        output: A file, or a folder; None for stdout.
        many: Whether several recordings were given, or a folder, however many are in it.
        as_json: Whether stdout is for JSON lines.
        force: Whether files that are there may be replaced.
        plot: Whether there is to be a picture, too.
    """

    forms: Sequence[str] = ()
    output: str | None = None
    many: bool = False
    as_json: bool = False
    force: bool = False
    plot: bool = False


def forms_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return names of forms from `--format srt --format vtt,json`.

    Raises:
        ConfigError: One is unknown.
    """
    names = [name for text in texts for name in text.lower().replace(",", " ").split()]
    for name in names:
        if name == PLOT:
            raise ConfigError(f"--format {name}: for a picture there is --plot")
        if name not in FORMATS:
            raise ConfigError(f"--format {name}: there is no such form; have {', '.join(FORMATS)}")
    return tuple(dict.fromkeys(names))


def plan(inputs: Sequence[Input], wishes: Wishes) -> Plan:
    """Decide where everything goes. Looks at what is there already.

    Raises:
        ConfigError: What was asked for contradicts itself, or would replace a recording.
    """
    if wishes.output in {None, STDOUT}:
        found = _to_stdout(inputs, wishes)
    else:
        output = Path(wishes.output or "")
        in_folder = _is_folder(output, wishes)
        jobs = (_in_folder if in_folder else _in_file)(inputs, output, wishes)
        found = Plan(tuple(jobs))
    _spare_inputs(inputs, found.jobs)
    there = {} if wishes.force else {job: _there(job) for job in found.jobs}
    return replace(
        found,
        jobs=tuple(job for job in found.jobs if not there.get(job)),
        faults=tuple((job.input.name, text) for job, text in there.items() if text),
    )


def _to_stdout(inputs: Sequence[Input], wishes: Wishes) -> Plan:
    jobs = (
        tuple(_named(inputs, Path(), (PLOT,)))
        if wishes.plot
        else tuple(Job(each) for each in inputs)
    )
    if wishes.as_json:
        if wishes.forms:
            raise ConfigError("--format beside --json is for files: say where, with --output")
        return Plan(jobs)
    if len(wishes.forms) > 1:
        raise ConfigError("several forms need files to be in: name a folder with --output")
    form = wishes.forms[0] if wishes.forms else DEFAULT
    if wishes.many and form not in _READABLE:
        raise ConfigError(
            f"several recordings as {form} need files to be in: name a folder with --output"
            + (", or use --json" if form == "json" else "")
        )
    return Plan(jobs, printed=form, headings=wishes.many)


def _is_folder(output: Path, wishes: Wishes) -> bool:
    is_several = wishes.many or len(wishes.forms) > 1
    return is_several or output.is_dir() or str(wishes.output).endswith("/")


def _in_file(inputs: Sequence[Input], output: Path, wishes: Wishes) -> list[Job]:
    """Take the form from the file's name where nobody said it; a picture goes beside it."""
    ending = output.suffix.lower().removeprefix(".")
    form = DEFAULT if ending not in {*FORMATS, PLOT} else ending
    form = wishes.forms[0] if wishes.forms else form
    outputs = [(form, output)]
    if wishes.plot and form != PLOT:
        picture = output.with_suffix(f".{PLOT}")
        if picture == output:
            raise ConfigError(f"--format {form} and --plot cannot both be {output}: name a folder")
        outputs.append((PLOT, picture))
    return [Job(each, tuple(outputs)) for each in inputs]


def _in_folder(inputs: Sequence[Input], folder: Path, wishes: Wishes) -> list[Job]:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            f"--output {folder} is a file, and what goes there are several: name a folder"
        )
    forms = wishes.forms or (DEFAULT,)
    return _named(inputs, folder, (*forms, PLOT) if wishes.plot else forms)


def _named(inputs: Sequence[Input], folder: Path, forms: Sequence[str]) -> list[Job]:
    """Call transcripts like their recordings; where two have one name, with its ending."""
    targets = Counter(each.target for each in inputs)
    jobs = []
    for each in inputs:
        if targets[each.target] > 1:
            each = replace(each, target=each.target.with_name(each.path.name))  # noqa: PLW2901
        path = folder / each.target
        jobs.append(Job(each, tuple((f, path.with_name(f"{path.name}.{f}")) for f in forms)))
    written = Counter(path for job in jobs for _, path in job.outputs)
    for path, count in written.items():
        if count > 1:
            raise ConfigError(f"{count} recordings would be {path}: transcribe them one by one")
    return jobs


def _spare_inputs(inputs: Sequence[Input], jobs: Sequence[Job]) -> None:
    recordings = {_identity(each.path) for each in inputs} - {None}
    for _, path in (output for job in jobs for output in job.outputs):
        if _identity(path) in recordings:
            raise ConfigError(f"{path} is one of the recordings: name another --output")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what a file is by all its names; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _there(job: Job) -> str:
    """Return a complaint where an output of a job is a file already."""
    for _, path in job.outputs:
        if path.is_file() or path.is_dir():
            return f"{path} is there already; --force replaces it, --output names another"
    return ""
