"""Names of models that clients of OpenAI's know (pure): here they all mean the service's own."""

OWN = "livebot"

MODELS = (
    OWN,
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
    "whisper-1",
)
"""Those that are listed."""

_FAMILIES = ("gpt-", "whisper-")


def is_own(model: str) -> bool:
    """Say whether a name means the service's own model; OpenAI's change from year to year."""
    return model == OWN or model.startswith(_FAMILIES)
