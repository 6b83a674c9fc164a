"""The models that have a name here, and what is known of them (pure)."""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from livebot.errors import EngineError
from livebot.stt.local import files

MOONSHINE = "moonshine"
WHISPER = "whisper"

HUB = "https://huggingface.co"
"""Where models come from unless `LT_MODEL_SOURCE` names a mirror."""

EXTRA = {MOONSHINE: "local", WHISPER: "whisper"}
"""What to install for a family."""

ENGLISH = frozenset({"en"})

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Files:
    """What must be in a model's folder.

    Attributes:
        needed: Each of these.
        either: One of these.
        useful: What is taken along where there is any.
    """

    needed: tuple[str, ...]
    either: tuple[str, ...] = ()
    useful: tuple[str, ...] = ()

    def missing(self, there: Collection[str]) -> list[str]:
        """Return what is not there, in words."""
        out = [name for name in self.needed if name not in there]
        if self.either and not any(name in there for name in self.either):
            out.append(" or ".join(self.either))
        return out

    def in_words(self) -> str:
        """Return what is needed as a list."""
        return ", ".join(self.missing(()))


FILES = {
    MOONSHINE: Files((files.ENCODER, files.DECODER, files.TOKENIZER)),
    WHISPER: Files(
        ("config.json", "model.bin", "tokenizer.json"),
        ("vocabulary.json", "vocabulary.txt"),
        ("preprocessor_config.json",),
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A model.

    Attributes:
        name: What users call it.
        family: Which code loads it.
        repository: Where the hub has it; empty where nothing can be downloaded.
        languages: What it understands; empty where that is a hundred or so.
        size: Bytes to download, about.
    """

    name: str
    family: str
    repository: str = ""
    languages: frozenset[str] = frozenset()
    size: int = 0


def _whisper(name: str, megabytes: int, repository: str = "") -> Entry:
    languages = ENGLISH if name.endswith(".en") else frozenset[str]()
    found = repository or f"Systran/faster-whisper-{name}"
    return Entry(name, WHISPER, found, languages, megabytes * _MB)


_TURBO = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"

_ENTRIES = (
    Entry("moonshine-tiny-en", MOONSHINE, languages=ENGLISH, size=45 * _MB),
    Entry("moonshine-base-en", MOONSHINE, languages=ENGLISH, size=90 * _MB),
    _whisper("tiny", 78),
    _whisper("tiny.en", 78),
    _whisper("base", 148),
    _whisper("base.en", 148),
    _whisper("small", 486),
    _whisper("small.en", 486),
    _whisper("medium", 1_530),
    _whisper("medium.en", 1_530),
    _whisper("large", 3_090, "Systran/faster-whisper-large-v3"),
    _whisper("large-v1", 3_090),
    _whisper("large-v2", 3_090),
    _whisper("large-v3", 3_090),
    _whisper("large-v3-turbo", 1_620, _TURBO),
    _whisper("turbo", 1_620, _TURBO),
)

_BY_NAME = {entry.name: entry for entry in _ENTRIES}


def names() -> tuple[str, ...]:
    """Return the names of all models, those that need no download first."""
    return tuple(_BY_NAME)


def entry(name: str) -> Entry:
    """Return a model by its name.

    Raises:
        EngineError: There is none.
    """
    if name not in _BY_NAME:
        near = get_close_matches(name.lower(), _BY_NAME, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise EngineError(
            f"no model is called {name!r}: {hint}There are {', '.join(_BY_NAME)}, and folders, "
            "written with a slash like ./my-model",
            retryable=False,
        )
    return _BY_NAME[name]


def is_folder(name: str) -> bool:
    """Return whether a name is that of a folder: it is written with a slash."""
    return "/" in name or name.startswith("~")


def family_of(there: Collection[str]) -> str | None:
    """Return which family's files these are; None where they are incomplete or none at all."""
    return next((family for family, files in FILES.items() if not files.missing(there)), None)


def traces_of(there: Collection[str]) -> str | None:
    """Return of which family there are some files, complete or not."""
    return next(
        (family for family, files in FILES.items() if any(name in there for name in files.needed)),
        None,
    )
