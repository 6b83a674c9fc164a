"""How much one caller may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """The share of one caller; 0 is any number.

    Attributes:
        requests_per_minute: Requests to the HTTP API.
        max_rooms: Calls at the same time, in each backend.
        max_speakers: Speakers at the same time in these calls, in each backend.
    """

    requests_per_minute: int = 0
    max_rooms: int = 0
    max_speakers: int = 0
