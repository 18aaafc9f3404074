"""Logging: one structured line per event with the request's id, for people or as JSON, never with a secret."""

import logging
import re
from typing import Any

import structlog

from config.environment import env

EventDict = dict[str, Any]
# The key id of an API token says which one it was; what follows is the secret.
API_TOKEN = re.compile(r"(pb_[0-9a-f]+_)[\w-]+")


def without_query(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Cut query strings from logged requests: phones put PINs and push passwords there (Cisco phones spec §8.14)."""
    if isinstance(request := event.get("request"), str):
        event["request"] = request.partition("?")[0]
    return event


def without_tokens(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Cut the secret from API tokens in paths: one can be deleted by its text (messaging spec §2)."""
    for part in ("event", "request"):
        if isinstance(text := event.get(part), str):
            event[part] = API_TOKEN.sub(r"\1…", text)
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    without_query,
    without_tokens,
]

structlog.configure(
    # Most requests log nothing at the usual level, and making an event ready takes longer than finding that out.
    processors=[
        structlog.stdlib.filter_by_level,
        *SHARED,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def line_format(*, json: bool) -> structlog.stdlib.ProcessorFormatter:
    # The default traceback shows local variables, and those hold headers and passwords.
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    # Else they would be lines of another shape.
    logging.captureWarnings(json)
    # A traceback of what others log is a member of its line, too, and not lines behind it.
    as_member = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    renderers = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *(as_member if json else [console])]
    return structlog.stdlib.ProcessorFormatter(processors=renderers, foreign_pre_chain=SHARED)


def line_format_of_server() -> structlog.stdlib.ProcessorFormatter:
    """For the web server's own lines (`granian --log-config config/granian.json`), which knows no settings."""
    return line_format(json=env.bool("LOG_JSON", default=False))


def logging_config(*, json: bool, level: str) -> dict[str, object]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": {"()": line_format, "json": json}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Both write a line of their own for what is answered by 4xx, beside that of django_structlog.
            "django.request": {"level": "ERROR"},
            "django.security.csrf": {"level": "ERROR"},
            "django_structlog": {"level": "WARNING" if level == "INFO" else level},
            "celery": {"level": "WARNING" if level == "INFO" else level},
            # One line per FTP command of every upload is too much.
            "pyftpdlib": {"level": "WARNING"},
            # httpx logs whole URLs, and those of phones may carry credentials.
            "httpx": {"level": "WARNING"},
            # So does its engine headers of answers, which may repeat those of a callback.
            "httpcore": {"level": "WARNING"},
        },
    }
