"""`deploy/clients.md` says what is so."""

import ast
import re
from pathlib import Path

from livebot.live import deepgram_query

TEXT = (Path(__file__).parents[3] / "deploy" / "clients.md").read_text()


def test_examples_are_python() -> None:
    """Each of them."""
    examples = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

    assert len(examples) == 3
    for example in examples:
        ast.parse(example)


def test_what_is_refused_is_told() -> None:
    """All of it, and nothing else. Spec: compatible-clients/Nothing is ignored silently."""
    (told,) = re.findall(r"\*\*Refused with 400\*\*.*?expected: (.*?)\.\n", TEXT, re.DOTALL)

    assert set(re.findall(r"`(\w+)`", told)) == set(deepgram_query._REFUSED)


def test_what_is_understood_is_told() -> None:
    """Every encoding."""
    for name in filter(None, deepgram_query._ENCODINGS):
        assert f"`{name}`" in TEXT
