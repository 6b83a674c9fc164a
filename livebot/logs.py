"""Logging: one JSON object per line, or lines for people.

A message is an event's name in the past tense, with facts as keys. `get("rooms")` names the
component; room and speaker are bound once with `structlog.contextvars` and reach every task
below. Whatever a caller passes, keys that hold secrets or speech are not printed.
"""

import logging
import sys
from functools import partial
from typing import Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

HIDDEN = "[hidden]"

_SECRET = frozenset(
    {
        "authorization",
        "authorizationappapi",
        "candidate",
        "cookie",
        "credential",
        "key",
        "password",
        "resumeid",
        "sdp",
        "secret",
        "text",
        "token",
    }
)
"""Whole keys, or the last part of keys like `internal_secret`; neither `_` nor `-` counts."""

LogFormat = Literal["json", "console"]


class _ComponentLogger(structlog.WriteLogger):
    """Knows whose lines it writes."""

    def __init__(self, stream: TextIO, component: str = "") -> None:
        super().__init__(stream)
        self.component = component


def configure(
    level: str = "info", log_format: LogFormat = "json", stream: TextIO | None = None
) -> None:
    """Set up our logs, and send the warnings of libraries the same way.

    Args:
        level: The lowest of ours that is printed.
        log_format: `json` for machines, `console` for people.
        stream: Where to; stdout unless a program's output goes there.
    """
    stream = stream or sys.stdout
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_component,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    last = _renderers(log_format, colors=stream.isatty())
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=partial(_ComponentLogger, stream),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=first,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def get(component: str) -> FilteringBoundLogger:
    """Return the logger of a component."""
    return cast(FilteringBoundLogger, structlog.get_logger(component))


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide what may be a secret or speech, by its key, also inside of mappings and lists."""
    for key, value in event.items():
        event[key] = HIDDEN if _is_secret(key) else _redacted(value)
    return event


def _redacted(value: object) -> object:
    match value:
        case dict():
            return redact(None, "", dict(value))
        case list():
            return [_redacted(item) for item in value]
        case tuple():
            return tuple(_redacted(item) for item in value)
        case _:
            return value


def _is_secret(key: object) -> bool:
    parts = str(key).lower().replace("-", "_").split("_")
    return "".join(parts) in _SECRET or parts[-1] in _SECRET


def _add_component(logger: WrappedLogger, _: str, event: EventDict) -> EventDict:
    """Name the component: ours by its logger, a library's by its log record."""
    record: logging.LogRecord | None = event.get("_record")
    event["component"] = record.name if record else logger.component
    return event


def _renderers(log_format: LogFormat, *, colors: bool) -> list[Processor]:
    """Return the last steps. Tracebacks come without local variables, which hold secrets."""
    if log_format == "console":
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        _in_order,
        structlog.processors.JSONRenderer(),
    ]


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put what every line has before what only this one has."""
    first = {key: event[key] for key in ("timestamp", "level", "component", "message")}
    return first | dict(event)
