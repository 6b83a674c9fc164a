"""The languages that Whisper knows."""

from livebot.stt.languages import match
from livebot.stt.whisper import languages


def test_codes_and_tokens_are_each_others() -> None:
    """For every language, also those whose code has changed since Whisper was made."""
    for code in languages.NAMES:
        assert languages.of_token(languages.token(code)) == code
    assert languages.token("jv") == "<|jw|>"


def test_regional_codes_are_served() -> None:
    """As browsers name languages."""
    assert match("pt-BR", languages.NAMES) == "pt"
    assert match("zh_TW", languages.NAMES) == "zh"
    assert match("tlh", languages.NAMES) is None
