"""What services say, in the visitor's language: they speak English, and what the portal shows of that is marked here."""

import re
from functools import cache

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext, gettext_noop

from contacts_app.core.errors import Refusal

# So that they are collected for translation.
KNOWN = (
    gettext_noop("You cannot suspend yourself"),
    gettext_noop("You cannot delete yourself"),
    gettext_noop("This person has rights that you do not have"),
    gettext_noop("This permission level is above your own"),
    gettext_noop("A PIN is no sequence and repeats nothing, as 1234, 0000 and 1212 do: these are tried first."),
    gettext_noop("A PIN is not the person's own number or its end, forwards or backwards."),
    gettext_noop("This is the PIN that has to be changed."),
    gettext_noop("The main contact cannot be deleted."),
    gettext_noop("Must be an email address."),
    gettext_noop("This code is wrong, or was used before."),
    gettext_noop("This is not the code that the app shows now. Is the clock of your phone right?"),
    gettext_noop("You have a second factor already."),
    gettext_noop("Your role demands a second factor. An administrator can reset it."),
    gettext_noop("The person does not exist, or is not active."),
    gettext_noop("The phone was deleted meanwhile."),
    gettext_noop("The phone has no base profile."),
    gettext_noop("The phone has no base profile. No one can log in on it."),
    gettext_noop("This is no device profile of the person for this phone."),
    gettext_noop("The person may not log in on this phone."),
    gettext_noop("The person has no device profile that fits this phone."),
    gettext_noop("Your second factor is removed."),
    gettext_noop("The phone runs no profile of yours now."),
    gettext_noop("The keys of this phone stand in a file that only your administrator changes."),
    gettext_noop("How many keys this phone has is not known."),
    gettext_noop("Your account does not let people choose this kind of key."),
    gettext_noop("There is no change that could be undone."),
    # What models say of values; the templates of forms translate what they show.
    gettext_noop("Must be a phone number: 3 to 20 digits, with a + in front if it is international."),
    gettext_noop("Digits only."),
    gettext_noop("Must be at most 1000 lines, each a number of 1 to 15 digits."),
)
# With what they name in them. Values that are called so are words of ours themselves.
WORDS = ("why", "kind")
NUMBERS = dict.fromkeys(("position", "module"), r"\d+")
WITH_VALUES = (
    gettext_noop("Too many wrong codes: try again in %(seconds)s s."),
    gettext_noop("A PIN has %(least)s to %(most)s digits: phones offer no other keys."),
    gettext_noop("The person is logged in on %(phones)s."),
    gettext_noop("The phone %(mac)s is inactive."),
    # Of keys that people have chosen.
    gettext_noop("key %(position)s stays empty: %(why)s"),
    gettext_noop("key %(position)s of module %(module)s stays empty: %(why)s"),
    gettext_noop("key %(position)s (%(label)s) stays empty: %(why)s"),
    gettext_noop("key %(position)s of module %(module)s (%(label)s) stays empty: %(why)s"),
    gettext_noop("the %(model)s knows no key “%(kind)s”"),
    gettext_noop("the phone has no line %(number)s"),
    gettext_noop("line %(number)s has a key already"),
    gettext_noop("line %(number)s (%(extension)s) is left out: the phone has no free key"),
)
FAULTS_OF_KEYS = (
    gettext_noop("the phone has no such key"),
    gettext_noop("the key is given twice"),
    gettext_noop("without its first line the phone could not register"),
    gettext_noop("it has no number to call"),
    gettext_noop("an intercom needs another line than the first"),
)
# In place of a message that names what was typed, by the refusal's code.
WORDS_OF_CODE = {"name-taken": gettext_noop("Somebody else logs in with this address.")}
# What contacts can be told of, as those who tell it call it.
NOTIFICATIONS = (
    gettext_noop("Callbacks that take no events, and do again"),
    gettext_noop("Callbacks that were switched off"),
    gettext_noop("Calls of each day"),
    gettext_noop("Outbound voice profiles that have nearly spent what they may on a day"),
    gettext_noop("API tokens that were created"),
    gettext_noop("API tokens that were revoked"),
    gettext_noop("Deployments that fail, and phones deployed after all"),
    gettext_noop("Phones that cannot be reached, and are back"),
    gettext_noop("Phones that use another file than theirs, and no longer do"),
    gettext_noop("Files that phones ask for in vain though theirs name them, and get after all"),
    gettext_noop("Rollouts that have finished"),
    gettext_noop("Rollouts that were paused"),
    gettext_noop("Rollouts that were aborted"),
    gettext_noop("Firmware whose files are missing, and is complete again"),
)


def words_of(said: str) -> str:
    """A sentence of a service in the visitor's language; as it is where it is not marked here."""
    text = gettext(said) if said else ""
    if text != said:
        return text
    for template in WITH_VALUES:
        if found := _pattern(template).fullmatch(said):
            named = found.groupdict()
            return gettext(template) % {name: words_of(it) if name in WORDS else it for name, it in named.items()}
    return said


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Every other part is the name of a value; a label in brackets is no part of a number before it."""
    parts = re.split(r"%\((\w+)\)s", template)
    parts[0::2] = map(re.escape, parts[0::2])
    parts[1::2] = [f"(?P<{name}>{NUMBERS.get(name, '.+?')})" for name in parts[1::2]]
    return re.compile("".join(parts))


def refusal_of(error: Refusal | PermissionDenied | ValidationError) -> str:
    if isinstance(error, Refusal):
        return words_of(WORDS_OF_CODE.get(error.code, error.message))
    words = error.messages if isinstance(error, ValidationError) else [str(error)]
    return " ".join(map(words_of, words))


def tell(form: forms.Form, error: Refusal | PermissionDenied | ValidationError) -> None:
    """Put what was refused at the field that it is about, if the form has it, else above the form."""
    if not isinstance(error, ValidationError):
        form.add_error(None, refusal_of(error))
        return
    told: dict[str, list[ValidationError]] = getattr(error, "error_dict", None) or {"__all__": [error]}
    for name, errors in told.items():
        for one in errors:
            for words in one.messages:
                form.add_error(name if name in form.fields else None, words_of(words))
