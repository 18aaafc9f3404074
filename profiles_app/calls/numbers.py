"""Numbers of calls in one spelling: E.164 where the whole number is known, else what was dialled without punctuation.

A record of a call that has taken place is never refused for its numbers.
"""

import re

import phonenumbers
from django.conf import settings

from contacts_app.core.values import MAX_TYPED_LENGTH, compact

# Shorter ones are extensions and service codes, which no numbering plan may turn into something else.
SHORTEST_NATIONAL = 7
_URI = re.compile(r"^(?:sips?|tel):([^@;>]*).*$", re.IGNORECASE)
_DIALLED = re.compile(r"^(\+|00)?[0-9]+$")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def spelled(text: str) -> str:
    """+49201555123 for `0049 (201) 555-123` and `sip:+49201555123@example.com`; `201` and `*97` stay as they are.

    National numbers become E.164 where `PHONE_NUMBERS_REGION` says which plan they are of.
    """
    number = compact(_UNPRINTABLE.sub("", _URI.sub(r"\1", text.strip())))[:MAX_TYPED_LENGTH]
    found = _DIALLED.match(number)
    if found is None:
        return number
    if prefix := found[1]:
        number = f"+{number.removeprefix(prefix)}"
    elif not settings.PHONE_NUMBERS_REGION or len(number) < SHORTEST_NATIONAL:
        return number
    try:
        parsed = phonenumbers.parse(number, settings.PHONE_NUMBERS_REGION or None)
    except phonenumbers.NumberParseException:
        return number
    if prefix or phonenumbers.is_valid_number(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return number
