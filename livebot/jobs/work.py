"""One job's recognition: its file in, its transcript out."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from livebot.errors import EngineBusyError, EngineError, RecordingError, RequestError
from livebot.errors import UnsupportedLanguageError as _Unsupported
from livebot.jobs.heard import Heard
from livebot.recognising import FileHost, FindTurns, OnProgress, Recogniser
from livebot.settings import Settings
from livebot.store.records import Job, JobOptions
from livebot.stt.diarize.find import find_turns
from livebot.stt.diarize.turns import Turn
from livebot.stt.host.host import EngineHost
from livebot.stt.host.options import HostOptions
from livebot.stt.languages import AUTO, match
from livebot.stt.models import names
from livebot.stt.models.spoken import languages
from livebot.transcripts.model import Transcript

BUSY_S = 5.0
"""How long to wait where too many recordings wait for the workers already."""

MOST_SPEAKERS = 100

_LONGEST_CODE = 50
_ENGLISH = ".en"


def usual_model(host: FileHost | None, settings: Settings) -> str:
    """Return the model of jobs for which nobody asks for one; the host may not be there yet."""
    if isinstance(host, EngineHost):
        return host.status().model
    return HostOptions.of(settings.host_options()).model


def check(options: JobOptions, usual: str) -> None:
    """Check what a caller wants, as far as that can be said before it is tried.

    Args:
        options: It.
        usual: The model that does jobs for which nobody asks for one.

    Raises:
        RequestError: It cannot be done; the text says what can.
    """
    if options.model and options.model not in names():
        raise RequestError(f"model: there is no such one; there are {', '.join(names())}")
    if options.speakers is not None and not 1 <= options.speakers <= MOST_SPEAKERS:
        raise RequestError(f"speakers must be a number from 1 to {MOST_SPEAKERS}")
    if options.speakers is not None and not options.diarize:
        raise RequestError("speakers is of use with diarize=true only")
    model = options.model or usual
    if len(options.language) > _LONGEST_CODE:
        raise RequestError("language must be a code like en, or auto")
    if options.language and options.language != AUTO:
        _check_language(options.language, model)
    if options.translate and (model.startswith("moonshine") or model.endswith(_ENGLISH)):
        raise RequestError("translate: this model cannot; choose one of Whisper's, like base")


def _check_language(language: str, model: str) -> None:
    try:
        known = languages(model)
    except EngineError:
        return  # the settings name it; whether it works is seen when it is loaded
    if match(language, known) is None:
        raise _Unsupported(language, known)


class Work:
    """Recognises jobs.

    Args:
        settings: The limits.
        host: Gives out who recognises files.
        heard: Told what is said, for those who do not wait for the end.
    """

    def __init__(
        self, settings: Settings, host: Callable[[], Awaitable[FileHost]], heard: Heard
    ) -> None:
        self._host = host
        self._heard = heard
        self._memory_limit = int(settings.memory_limit)
        self._cpu_limit = settings.cpu_limit

    async def __call__(self, job: Job, on_progress: OnProgress) -> Transcript:
        """Make the transcript of a job.

        Raises:
            RecordingError: Its file cannot be read.
            EngineError: It cannot be recognised.
        """
        path = Path(job.path)
        if not job.path or not await asyncio.to_thread(path.exists):
            raise RecordingError("the file is gone from the service's disk: give it again")
        options = job.options
        recogniser = Recogniser(
            await self._host(),
            options.language,
            self._turns(options) if options.diarize else None,
            options.translate,
            options.model,
            self._heard.begin(job.id),
        )
        while True:
            try:
                return await recogniser(path, job.name, on_progress)
            except EngineBusyError:
                await asyncio.sleep(BUSY_S)

    def _turns(self, options: JobOptions) -> FindTurns:
        async def find_them(path: Path, on_progress: Callable[[float], None]) -> list[Turn]:
            return await find_turns(
                path,
                speakers=options.speakers,
                on_progress=on_progress,
                memory_limit=self._memory_limit,
                cpu_limit=self._cpu_limit,
            )

        return find_them
