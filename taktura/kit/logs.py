"""The program's log: one object or one line for each thing that happened, with the number of the request it belongs to.

It goes to the standard error output, where the service manager collects it. No secrets and no personal data: of
an error its kind, its place and the first line of what it says. What is told of a request: `kit.requests`.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

JSON, TEXT = "json", "text"
FORMATS = (JSON, TEXT)
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MOST_FRAMES = 40
MOST_CHARACTERS = 500
# What a server or a worker tells of; a command at the terminal says only what goes wrong.
TELLING = ("taktura", "procrastinate", "gunicorn.error")

Errors = tuple[type[BaseException], BaseException, TracebackType | None]


def configuration(form: str) -> dict[str, Any]:
    """Django's LOGGING for a format, `json` or `text`: all of it through one formatter, errors of requests once."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"taktura": {"()": "taktura.kit.logs.formatter", "form": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "taktura"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            # Django's own handlers would tell all again; what is refused is in the line of the request.
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "httpx": {"level": "WARNING"},  # addresses may hold secrets
        },
    }


def formatter(form: str, stream: TextIO | None = None) -> logging.Formatter:
    """What writes a line of the log, whoever it comes from; sets structlog up for the same."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )  # fmt: skip
    colours = (stream or sys.stderr).isatty()
    last: list[Any] = (
        [structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
        if form == JSON
        else [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _errors_without_values, *last],
    )


def tell(level: str) -> None:
    """Tell from a level on: for a process that serves or works, not for a command that answers a person."""
    for name in TELLING:
        logging.getLogger(name).setLevel(level)


def _errors_without_values(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An error as its kind, its place, and the first line of what it says: a database tells of rows in the others."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[1] is not None:
        event["exception"] = without_values(info)
    return event


def summary(error: BaseException) -> str:
    """An error in one line: its kind, and the first line of what it says."""
    said = (str(error).splitlines() or [""])[0][:MOST_CHARACTERS]
    return f"{type(error).__module__}.{type(error).__qualname__}: {said}".removeprefix("builtins.")


def without_values(errors: Errors) -> str:
    """The traceback of an error and of its causes, without values of variables or rows."""
    found, seen = [], set[int]()
    error: BaseException | None = errors[1]
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
        found.append("".join(traceback.format_list(frames)) + summary(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nwhile this was worked on:\n\n".join(reversed(found))
