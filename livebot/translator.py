"""What a translator is; rooms ask one, and whoever builds the service says which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TranslationLanguages:
    """What can be translated: code and name in the language's own or English words.

    Attributes:
        origins: Languages that are understood.
        targets: Languages that come out.
    """

    origins: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)


class Translator(Protocol):
    """Translates text; one per backend, shared by all rooms."""

    async def languages(self) -> TranslationLanguages:
        """Say what can be translated; answered from memory most of the time, within 2.5 s always.

        Raises:
            TranslationUnavailableError: Nothing can.
            TranslationError: It cannot be found out now.
        """

    async def translate(self, text: str, *, origin: str, target: str) -> str:
        """Return the text in another language; may take long, so callers bring a deadline.

        Raises:
            TranslationUnavailableError: Nothing can be translated here.
            TranslationError: This text cannot, or not now.
        """
