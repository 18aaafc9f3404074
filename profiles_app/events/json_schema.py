"""Checking JSON values against a JSON Schema, in the words of Django's ValidationError by field."""

import re
from collections.abc import Callable
from typing import Any

import httpx
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError as SchemaError

# What would change the framing of a request or where it goes is not the callback's owner's to say (RFC 9110 §7.6.1).
RESERVED_HEADERS = {
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")  # RFC 9110 §5.6.2
Checker = tuple[Callable[[object], bool], tuple[type[Exception], ...]]
# Messages repeat the value that is wrong, and that can be of any length.
LONGEST_MESSAGE = 300


def _check_http_url(text: str) -> None:
    try:
        url = httpx.URL(text)
        sound = url.scheme in ("http", "https") and bool(url.raw_host) and (url.port or 1) > 0
    except (httpx.InvalidURL, ValueError):
        sound = False
    if not sound or any(character <= " " or character == "\x7f" for character in text):
        raise ValueError("Must be an http or https URL.")
    if url.userinfo:
        raise ValueError("Credentials belong into a header, not into the URL.")


def _check_header_name(text: str) -> None:
    if not text or not TOKEN.issuperset(text.lower()):
        raise ValueError("Must be the name of a header.")
    if text.lower() in RESERVED_HEADERS:
        raise ValueError("This header is set by whoever sends the request.")


def _check_header_value(text: str) -> None:
    if any(
        (character < " " and character != "\t") or "\x7f" <= character < "\xa0" or character > "\xff"
        for character in text
    ):
        raise ValueError("Must be one line of Latin-1 text.")


def _check_phone_number(text: str) -> None:
    if not re.fullmatch(r"\+?[0-9]+", text, re.ASCII):
        raise ValueError("Must be digits, with or without a plus before them.")


def _check_phone_number_pattern(text: str) -> None:
    if not re.fullmatch(r"\+?[0-9%]+", text, re.ASCII):
        raise ValueError("Must be digits and %, with or without a plus before them.")


def _of_text(check: Callable[[str], None]) -> Checker:
    """A format says nothing about what is no string."""

    def checker(value: object) -> bool:
        if isinstance(value, str):
            check(value)
        return True

    return checker, (ValueError, ValidationError)


FORMATS = FormatChecker(formats=())
FORMATS.checkers = {
    "http-url": _of_text(_check_http_url),
    "header-name": _of_text(_check_header_name),
    "header-value": _of_text(_check_header_value),
    "phone-number": _of_text(_check_phone_number),
    "phone-number-pattern": _of_text(_check_phone_number_pattern),
    "email": _of_text(validate_email),
}


def check(schema: dict[str, Any], value: Any, path: str) -> None:
    """Raise ValidationError that names every wrong member, as `path` and dots lead to it."""
    wrong: dict[str, list[str]] = {}
    for error in Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value):
        where = ".".join([path, *map(str, error.absolute_path)])
        if error.validator == "required":
            for name in (name for name in error.validator_value if name not in error.instance):
                wrong.setdefault(f"{where}.{name}", ["This field is required."])
        else:
            wrong.setdefault(where, []).append(_message(error))
    if wrong:
        raise ValidationError(wrong)


def normalised(schema: dict[str, Any], value: Any) -> Any:
    """A valid value with only the members that the schema knows, its defaults, and no nulls."""
    if isinstance(value, dict) and "properties" in schema:
        defaults = {
            name: member["default"] for name, member in schema["properties"].items() if "default" in member
        }
        known = {
            name: normalised(member, value[name])
            for name, member in schema["properties"].items()
            if name in value
        }
        return {name: item for name, item in (defaults | known).items() if item is not None}
    if isinstance(value, list) and "items" in schema:
        return [normalised(schema["items"], item) for item in value]
    # JSON Schema takes 10.0 for an integer, and so does nobody else.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _message(error: SchemaError) -> str:
    if isinstance(error.cause, ValidationError):
        return " ".join(error.cause.messages)
    text = str(error.cause or error.message)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"
