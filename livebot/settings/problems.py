"""What is wrong with settings, in sentences that name the variable and never quote its value."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo


class SettingError(ValueError):
    """A value that does not work; the text follows the variable's name and quotes no value."""


class PartsError(ValueError):
    """A value made of parts, some of which do not work.

    Args:
        problems: A sentence for each problem, which names the part and quotes no value.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def fields_by_variable(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by the variable that each is read from."""
    return {str(field.validation_alias): field for field in model.model_fields.values()}


def sentences(error: ValidationError, fields: Mapping[str, FieldInfo]) -> dict[str, list[str]]:
    """Return what is wrong, by variable: what was found, and what is allowed."""
    found: dict[str, list[str]] = {}
    for item in error.errors(include_input=False, include_url=False):
        variable = str(item["loc"][0])
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, PartsError):
            found[variable] = [f"{variable}: {text}" for text in cause.problems]
        else:
            # pydantic's words never quote the value.
            what = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
            found[variable] = [f"{variable} {what}. {fields[variable].description}"]
    return found


def hint(key: str, known: Iterable[str]) -> str:
    """Say which variable may be meant by one that is none."""
    close = get_close_matches(key, list(known), n=1)
    return f"Did you mean {close[0]}?" if close else "Remove it."
