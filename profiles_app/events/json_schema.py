"""Checking JSON values against a JSON Schema, in the words of Django's ValidationError by field."""

import re
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import httpx
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

if TYPE_CHECKING:
    # Loaded when the first value is checked: it is slow to load, above all where its optional packages are installed,
    # and workers and commands check none.
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError as SchemaError

from contacts_app.core.errors import LONGEST_NAME, MOST_NAMED, UNKNOWN

# What would change the framing of a request or where it goes is not the callback's owner's to say (RFC 9110 §7.6.1).
RESERVED_HEADERS = {
    *("connection", "content-length", "expect", "host"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}
# Messages repeat the value that is wrong, and that can be of any length.
LONGEST_MESSAGE = 300
# What the texts of a format look like in whole, and what is said of others. Header names: RFC 9110 §5.6.2.
PATTERNS = {
    "header-name": (r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "Must be the name of a header."),
    "header-value": (r"[\t -~\xa0-\xff]*", "Must be one line of Latin-1 text."),
    "phone-number": (r"\+?[0-9]+", "Must be digits, with or without a plus before them."),
    "phone-number-pattern": (r"\+?[0-9%]+", "Must be digits and %, with or without a plus before them."),
}


def _check_http_url(text: str) -> None:
    try:
        url = httpx.URL(text)
        sound = url.scheme in ("http", "https") and bool(url.raw_host) and (url.port or 1) > 0
    except (httpx.InvalidURL, ValueError):
        sound = False
    if not sound or re.search(r"[\0- \x7f]", text):
        raise ValueError("Must be an http or https URL.")
    if url.userinfo:
        raise ValueError("Credentials belong into a header, not into the URL.")


def _has_format(name: str, value: object) -> bool:
    """Whether a text has the format, which says nothing about what is no text. Raises with the reason why not."""
    if not isinstance(value, str):
        return True
    if name == "email":
        validate_email(value)
    elif name == "http-url":
        _check_http_url(value)
    elif not re.fullmatch(PATTERNS[name][0], value):
        raise ValueError(PATTERNS[name][1])
    if name == "header-name" and value.lower() in RESERVED_HEADERS:
        raise ValueError("This header is set by the sender of the request.")
    return True


@cache
def _formats() -> "FormatChecker":
    from jsonschema import FormatChecker

    ours = FormatChecker(formats=())
    ours.checkers = {
        name: (partial(_has_format, name), (ValueError, ValidationError)) for name in ("email", "http-url", *PATTERNS)
    }
    return ours


def check(schema: dict[str, Any], value: Any, path: str) -> None:
    """Raise ValidationError that names every wrong member, as `path` and dots lead to it."""
    from jsonschema import Draft202012Validator

    wrong: dict[str, list[str]] = {}
    for error in Draft202012Validator(schema, format_checker=_formats()).iter_errors(value):
        where = ".".join([path, *map(str, error.absolute_path)])
        if error.validator == "required":
            for name in (name for name in error.validator_value if name not in error.instance):
                wrong.setdefault(f"{where}.{name}", ["This field is required."])
        elif error.validator == "additionalProperties":
            for name in [name for name in error.instance if name not in error.schema["properties"]][:MOST_NAMED]:
                wrong.setdefault(f"{where}.{name[:LONGEST_NAME]}", [UNKNOWN])
        else:
            wrong.setdefault(where, []).append(_message(error))
    if wrong:
        raise ValidationError(wrong)


def normalised(schema: dict[str, Any], value: Any) -> Any:
    """A valid value with only the members that the schema knows, its defaults, and no nulls."""
    if isinstance(value, dict) and "properties" in schema:
        kept = {
            name: normalised(member, value.get(name, member.get("default")))
            for name, member in schema["properties"].items()
        }
        return {name: item for name, item in kept.items() if item is not None}
    if isinstance(value, list) and "items" in schema:
        return [normalised(schema["items"], item) for item in value]
    # JSON Schema takes 10.0 for an integer; receivers do not.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _message(error: "SchemaError") -> str:
    if isinstance(error.cause, ValidationError):
        return " ".join(error.cause.messages)
    text = str(error.cause or error.message)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"
