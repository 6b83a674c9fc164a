"""Faults of the outside world, sorted by what the caller can do.

LivebotError
├── ConfigError              the administrator must change something
├── RequestError             the caller of the API sent something wrong
│   ├── UnsupportedLanguageError
│   └── NotAReaderError      ... because who asks must ask for captions first
├── NotFoundError            there is no such room, job, session or transcript
├── BusyError                not now: try again later
├── QuotaError               not now: this caller has had its share
├── NextcloudError           Nextcloud cannot be asked, or says no
├── TranslationError         one text cannot be translated, or not in time
│   └── TranslationUnavailableError  ... nor can any other: there is no translator
├── SignalingError           the conversation with the signaling server failed
│   └── SignalingRefusedError    ... and trying again the same way will fail again
├── MediaError               one speaker's audio cannot be received
├── AudioError               samples of a kind that cannot be converted
│   └── RecordingError           a file that cannot be read, or holds no sound
├── StoreError               the database cannot be reached, or is full
├── FetchError               an address that may not or cannot be fetched
└── EngineError              a speech-to-text engine failed
    ├── EngineBusyError          ... because it has no room for another stream
    ├── EngineStalledError       ... without a sign: speech goes in and no words come out
    └── EngineUnavailableError   ... before: nobody is asked again for a while

Anything else that is raised is a bug and is not caught.
"""

from collections.abc import Iterable, Sequence


class LivebotError(Exception):
    """Base class: catch it to survive a fault of the outside world, never a bug."""


class ConfigError(LivebotError):
    """The settings do not work; `problems` holds one line each, with its cure.

    Args:
        problems: One sentence per problem.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems: Sequence[str] = problems


class RequestError(LivebotError):
    """The caller of the API sent something wrong; the text says what."""


class UnsupportedLanguageError(RequestError):
    """No engine here understands the language.

    Args:
        language: What was asked for.
        supported: The language codes that would work.
    """

    def __init__(self, language: str, supported: Iterable[str]) -> None:
        self.language = language
        self.supported = sorted(supported)
        super().__init__(
            f"language {language!r} is not supported; have {', '.join(self.supported)}"
        )


class NotAReaderError(RequestError):
    """The session has not asked for captions, so nothing about them can be changed."""


class NotFoundError(LivebotError):
    """There is no such thing, or it is not the caller's."""


class BusyError(LivebotError):
    """Not now: a limit is reached or the service is about to stop."""


class QuotaError(LivebotError):
    """This caller has had its share.

    Args:
        message: Of what, and how much that is.
        retry_in_s: When there may be more.
    """

    def __init__(self, message: str, *, retry_in_s: float) -> None:
        super().__init__(message)
        self.retry_in_s = retry_in_s


class NextcloudError(LivebotError):
    """Nextcloud cannot be asked, or says no; the text names no secret."""


class TranslationError(LivebotError):
    """One text cannot be translated, or not in time; the text says nothing of what was said."""


class TranslationUnavailableError(TranslationError):
    """Nothing can be translated here."""


class SignalingError(LivebotError):
    """The conversation with the signaling server failed; connecting again may help."""


class SignalingRefusedError(SignalingError):
    """The server refused us for a reason that trying again does not cure.

    Args:
        code: The server's error code, for example `invalid_token`.
        message: The server's own words.
    """

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code


class MediaError(LivebotError):
    """One speaker's audio cannot be received."""


class AudioError(LivebotError):
    """Samples of a kind that cannot be converted."""


class RecordingError(AudioError):
    """A file cannot be read, or holds no sound; the text names the cure and not the path."""


class FetchError(LivebotError):
    """An address may not be fetched, or cannot be; the text names the cure, not the address."""


class StoreError(LivebotError):
    """What is kept cannot be reached, or nothing more fits; the text says what to do."""


class EngineError(LivebotError):
    """A speech-to-text engine failed.

    Args:
        message: What happened and, where known, what to do about it.
        retryable: Whether opening a new stream may help.
    """

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class EngineBusyError(EngineError):
    """The engine has no room for another stream at the moment."""


class EngineStalledError(EngineError):
    """Speech goes into a stream and no words come out of it."""


class EngineUnavailableError(EngineError):
    """Engines failed a moment ago and are left alone for a while.

    Args:
        message: Which, and why.
        retry_in_s: When somebody may try again.
    """

    def __init__(self, message: str, *, retry_in_s: float) -> None:
        super().__init__(message)
        self.retry_in_s = retry_in_s
