"""Values that customers type: telephone numbers, stored in one compact form, time zones, and URLs fit to be posted to."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models

MAX_TYPED_LENGTH = 40
# 3 to 20 digits, a + in front if it is international, with whatever helps the eye around them.
TYPED = r"^[ \t.()-]*\+?([ \t.()-]*[0-9]){3,20}[ \t.()-]*$"
PUNCTUATION = str.maketrans("", "", " \t-.()")


def compact(text: str) -> str:
    """A number without what only helps the eye."""
    return text.translate(PUNCTUATION)


def digits(text: str) -> str:
    """What is left of a number, or of a part of one, to find it by, without what leads into a network or abroad.

    In +49 (0)201, 0049 201 and 0201 that begins with 49201 or 201; letters and other things leave nothing.
    """
    if not re.fullmatch(r"[+\d\s().\-/]+", text):
        return ""
    return re.sub(r"\D", "", text.replace("(0)", "")).lstrip("0")


def parse_phone_number(text: str) -> str:
    """The compact form, or the empty string of none; ValidationError for anything else.

    Looser than the real numbering plans: the example of the API's own document is a number that no plan knows
    (notification contacts spec §5).
    """
    number = compact(text)
    if len(text) > MAX_TYPED_LENGTH or (number and not re.fullmatch(TYPED, text)):
        raise ValidationError("Must be a phone number: 3 to 20 digits, with a + in front if it is international.")
    return number


class PhoneNumberField(models.CharField):  # type: ignore[type-arg]
    """A compact number in the database; takes one in any spelling."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"max_length": MAX_TYPED_LENGTH} | kwargs))

    def to_python(self, value: object) -> str:
        return parse_phone_number(str(value or ""))


def zone_named(name: str) -> ZoneInfo | None:
    """None for what is no name of a time zone."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def validate_time_zone(name: str) -> None:
    if zone_named(name) is None:
        raise ValidationError("There is no such time zone. Take a name such as Europe/Lisbon.")


def one_line(text: object) -> None:
    """What is sent in a line of a protocol, or shown in one, holds no line end, which would begin a line of its own."""
    if isinstance(text, str) and ("\r" in text or "\n" in text):
        raise ValidationError("Must be one line.", code="one-line")


def keep_to_one_line(kinds: Iterable[type[models.Model]]) -> None:
    """Have all columns for short texts and for passwords refuse line ends, in forms, imports and serializers alike.

    Here for all of them, as one that is forgotten would show only when somebody sends it. They stay out of migrations.
    """
    for kind in kinds:
        for field in kind._meta.local_fields:
            is_line = isinstance(field, models.CharField) or field.name.endswith("password")
            if is_line and one_line not in field.validators:
                field.validators.append(one_line)


MIN_URL, MAX_URL = 10, 255
UNFIT = f"Must be an http or https URL of {MIN_URL} to {MAX_URL} characters."


def is_web_url(text: str) -> bool:
    """http or https, with a host, of the documented length and nothing that would break a request line."""
    if not MIN_URL <= len(text) <= MAX_URL or any(ord(char) <= 32 or ord(char) == 127 for char in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def validate_web_url(text: str) -> None:
    if not is_web_url(text):
        raise ValidationError(UNFIT)


def masked_url(url: str | None) -> str:
    """The scheme and the host; keys stand in user names, paths and queries alike."""
    if not url:
        return ""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" + ("" if url == f"{parts.scheme}://{host}" else "/…")
