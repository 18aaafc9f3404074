"""Creating, changing, testing and deleting callbacks (events spec §5.2).

Nothing is stored before the URL has answered `POST {"test": 1}` with 200 or 201. It may take its time to do so, and is
asked before the transaction begins.
"""

from collections.abc import Mapping
from copy import copy
from itertools import groupby
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet

from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.net.wire import Networks
from profiles_app.events.callback_config import CONFIG_SCHEMAS, HTTP_MODES, checked_config, merged_config, target_of
from profiles_app.events.callback_health import begin_anew, tell_listeners
from profiles_app.events.models.outbox import CallbackQueue
from profiles_app.events.models.setup import Callback, EventProfile, Level, Listener, new_signing_secret
from profiles_app.events.transport import outward_message, send

_CODES = {
    letter: code
    for code, letters in {"1": "BFPV", "2": "CGJKQSXZ", "3": "DT", "4": "L", "5": "MN", "6": "R"}.items()
    for letter in letters
}


def soundex(text: str) -> str:
    """The first letter and the codes of the others, of any length and at least four characters.

    Letters of the same code in a row count once; vowels, H and W are left out.
    """
    letters = [letter for letter in text.upper() if "A" <= letter <= "Z"]
    if not letters:
        return ""
    consonants = [_CODES[letter] for letter in letters[1:] if letter in _CODES]
    first = _CODES.get(letters[0])
    codes = [code for code, _ in groupby(([first] if first else []) + consonants)]
    return (letters[0] + "".join(codes[1 if first else 0 :])).ljust(4, "0")


class InUse(Refusal):
    """Something else needs the row, so it stays. The message is for people."""

    def __init__(self, message: str) -> None:
        super().__init__("in-use", message)


class Changed(InUse):
    """The row was changed by another request meanwhile."""


PROBE_BODY = b'{"test": 1}'
PASSING = (200, 201)


class Probe(NamedTuple):
    ok: bool
    message: str


def probe(callback: Callback) -> Probe:
    """Ask the callback's URL, always by POST, with the configured headers. What is no URL passes unasked."""
    if callback.mode not in HTTP_MODES:
        return Probe(True, "Only callbacks with a URL can be tried.")
    config = callback.config
    try:
        answer = send(
            "POST",
            config["url"],
            body=PROBE_BODY,
            headers=[(header["name"], header["value"]) for header in config.get("headers", [])],
            networks=Networks.parse(settings.CALLBACK_NETWORKS),
            timeout=config.get("timeout") or settings.CALLBACK_SECONDS,
        )
    except TransportError as error:
        return Probe(False, outward_message(error))
    return Probe(answer.status in PASSING, f"The URL answers {answer.status}; 200 and 201 pass.")


def refuse_unless_it_answers(callback: Callback) -> None:
    """Raise ValidationError when the callback's URL does not pass."""
    tried = probe(callback)
    if not tried.ok:
        raise ValidationError({"config.url": [tried.message]})


# Words of the published API.
USED_BY_LISTENER = "Error: Callback is in use. Look for listeners using it."
USED_AS_FALLBACK = "Error: Callback is in use. Look for callbacks using it as their fallback."
LONGEST_FALLBACK_CHAIN = 10

# What a callback points at, by the wire's names.
REFERENCES: dict[str, tuple[QuerySet[Model], str]] = {
    "profile_id": (EventProfile.objects.all(), "profile"),
    "fallback_callback_id": (Callback.objects.filter(webhook_key=""), "fallback_callback"),
}
_CONFIG_COLUMNS = ("mode", "stored_config", "target")
# What each of the wire's names changes.
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "name_sound"),
    "profile_id": ("profile",),
    "fallback_callback_id": ("fallback_callback",),
    "enabled": ("enabled", "disabled_reason", "disabled_at"),
    "mode": _CONFIG_COLUMNS,
    "config": _CONFIG_COLUMNS,
}


def create_callback(*, level: Level, given: Mapping[str, object]) -> Callback:
    """A new callback. `given` has the wire's names: mode, config, name, profile_id, fallback_callback_id, enabled.

    Raises ValidationError by field: for what is malformed, not in scope, or a URL that does not answer 200 or 201.
    """
    callback = planned_callback(level=level, given=given)
    refuse_unless_it_answers(callback)
    with transaction.atomic():
        return store_callback(callback)


def planned_callback(*, level: Level, given: Mapping[str, object]) -> Callback:
    """A valid callback that is not stored and whose URL has not been asked."""
    callback = Callback(account=level.account, extension=level.extension)
    _apply(callback, given, level)
    return callback


def store_callback(callback: Callback) -> Callback:
    """Store a new callback, within the caller's transaction."""
    hold_references(callback)
    callback.save()
    return callback


def update_callback(callback: Callback, *, level: Level, given: Mapping[str, object]) -> Callback:
    """Change what is given; `config` is merged key by key unless the mode changes. Raises as create_callback, Changed.

    The URL is asked again when the URL, the headers or the mode change, and when the callback is enabled again.
    """
    before = copy(callback)
    _apply(callback, given, level)
    if asked := _must_be_asked(before, callback):
        refuse_unless_it_answers(callback)
    with transaction.atomic():
        if asked:
            begin_anew(callback)
        present = Callback.objects.select_for_update().get(pk=callback.pk)
        if (present.mode, present.config) != (before.mode, before.config):
            raise Changed("The callback was changed meanwhile.")
        hold_references(callback)
        callback.save(update_fields={column for name in given for column in COLUMNS.get(name, ())})
    return callback


def make_ready(callback: Callback) -> None:
    """Complete a callback with checked fields before the caller stores it, within its transaction; no URL is asked."""
    _derive(callback)
    hold_references(callback)


def delete_callback(callback: Callback) -> None:
    """Raises InUse when a listener or another callback needs it."""
    with transaction.atomic():
        # Recording a round of deliveries locks the queue first too.
        list(CallbackQueue.objects.select_for_update().filter(pk=callback.pk).values_list("pk"))
        Callback.objects.select_for_update().get(pk=callback.pk)
        if Listener.objects.filter(callback=callback).exists():
            raise InUse(USED_BY_LISTENER)
        if Callback.objects.filter(fallback_callback=callback).exists():
            raise InUse(USED_AS_FALLBACK)
        tell_listeners(callback, "deleted-listener-callback")
        callback.delete()


def renew_signing_secret(callback: Callback) -> str:
    """Give the callback another secret to sign deliveries with, and return it: it is not shown again."""
    callback.signing_secret = new_signing_secret()
    callback.save(update_fields=["signing_secret"])
    secret: str = callback.signing_secret
    return secret


def find_reference(rows: QuerySet[Any], pk: int | None, field: str) -> Any:
    """The row that a field names, or none where it names none. Raises ValidationError when it is not in scope."""
    if not pk:  # The published schema allows 0, which is no row's id.
        return None
    row = rows.filter(pk=pk).first()
    if row is None:
        raise ValidationError({field: [f"There is no object with id {pk} here."]})
    return row


def hold_references(callback: Callback) -> None:
    """Lock what the callback points at, so that it is not deleted meanwhile. Raises ValidationError.

    Whatever it points at: the fallback of a webhook is a webhook, which others cannot choose.
    """
    for name, (rows, _) in REFERENCES.items():
        find_reference(rows.model._default_manager.select_for_update(), getattr(callback, name), name)
    check_fallbacks(callback.pk, callback.fallback_callback_id)


def check_fallbacks(pk: int | None, fallback: int | None) -> None:
    """Raise ValidationError when the fallbacks from `fallback` on lead back to the callback, or are too many."""
    hops = 0
    while fallback:
        hops += 1
        if fallback == pk:
            raise ValidationError({"fallback_callback_id": ["The fallbacks would go in a circle."]})
        if hops > LONGEST_FALLBACK_CHAIN:
            text = f"There would be more than {LONGEST_FALLBACK_CHAIN} fallbacks in a row."
            raise ValidationError({"fallback_callback_id": [text]})
        fallback = Callback.objects.values_list("fallback_callback", flat=True).get(pk=fallback)


def _apply(callback: Callback, given: Mapping[str, Any], level: Level) -> None:
    """Set what is given on the callback, without storing it."""
    mode_before, config_before = callback.mode, callback.config
    for name in ("name", "enabled", "mode"):
        if name in given:
            setattr(callback, name, given[name])
    for name, (rows, column) in REFERENCES.items():
        if name in given:
            setattr(callback, column, find_reference(level.rows(rows), given[name], name))
    # A configuration that stays is not checked again: a webhook's may have credentials in its URL.
    if callback.pk is None or {"mode", "config"} & given.keys():
        changes = given.get("config", {})
        same_shape = CONFIG_SCHEMAS[callback.mode] is CONFIG_SCHEMAS[mode_before]
        if callback.mode == mode_before or ("config" not in given and same_shape):
            changes = merged_config(config_before, changes)
        callback.config = checked_config(callback.mode, changes, config_before)
    _derive(callback)


def _derive(callback: Callback) -> None:
    """Set what callbacks are found by, and forget why one that is on again was switched off."""
    if callback.enabled:
        callback.disabled_reason, callback.disabled_at = "", None
    callback.target = target_of(callback.mode, callback.config)
    callback.name_sound = soundex(callback.name or "")[:128]


def _must_be_asked(before: Callback, after: Callback) -> bool:
    old, new = before.config, after.config
    return (
        before.mode != after.mode
        or any(old.get(name) != new.get(name) for name in ("url", "headers"))
        or (after.enabled and not before.enabled)
    )
