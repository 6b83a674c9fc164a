"""The page's colours can be read on what they lie on, in every theme."""

import re

import pytest

from livebot.api.page import assets

THEMES = (":root", "dark :root", ":root.more-contrast", "dark :root.more-contrast")

ON_PAGE = ("text", "quiet", "accent", *(f"speaker-{number}" for number in range(8)))
"""Written on the page itself and on cards."""


def _themes() -> dict[str, dict[str, str]]:
    """Return the colours of each theme, those it has from others included."""
    text = assets()["colours.css"].body.decode()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    found: dict[str, dict[str, str]] = {}
    for media, selector, body in re.findall(
        r"(@media[^{]*\{\s*)?(:root[.\w-]*) \{([^}]*)\}", text
    ):
        name = f"dark {selector}" if media else selector
        found[name] = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body))
    light, dark, strong, strong_dark = (found[name] for name in THEMES)
    return {
        THEMES[0]: light,
        THEMES[1]: light | dark,
        THEMES[2]: light | strong,
        THEMES[3]: light | dark | strong | strong_dark,
    }


def _luminance(colour: str) -> float:
    """Return the relative luminance, as WCAG 2 has it."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_what_the_standard_says() -> None:
    """Known pairs."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_written_can_be_read(theme: str) -> None:
    """At least 4.5, and 7 where more is wanted. Spec: page/For everybody."""
    colours = _themes()[theme]
    least = 7.0 if "more-contrast" in theme else 4.5
    pairs = [(text, back) for text in ON_PAGE for back in ("back", "card")]
    pairs += [("quiet", "sunk"), ("text", "sunk"), ("on-accent", "accent"), ("card", "bad")]
    pairs += [("bad", "bad-soft"), ("warn", "warn-soft"), ("accent", "accent-soft")]
    pairs += [("bad", "card")]
    poor = {
        f"{text} on {back}": round(contrast(colours[text], colours[back]), 2)
        for text, back in pairs
        if contrast(colours[text], colours[back]) < least
    }
    assert not poor


@pytest.mark.parametrize("theme", THEMES)
def test_edges_of_fields_can_be_seen(theme: str) -> None:
    """At least 3. Spec: page/For everybody."""
    colours = _themes()[theme]
    for back in ("back", "card"):
        assert contrast(colours["edge"], colours[back]) >= 3


def test_speakers_differ() -> None:
    """No two have the same colour in any theme."""
    for colours in _themes().values():
        assert len({colours[f"speaker-{number}"] for number in range(8)}) == 8
