"""Creating and changing event profiles and listeners with their subscriptions and filters, alone or all at once.

Events spec §5.1 and §5.3 to §5.6. Each change is one transaction with its history.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from contacts_app.core.history.records import create_recorded
from contacts_app.core.tables import table
from profiles_app.events import json_schema
from profiles_app.events.callback_changes import (
    InUse,
    find_reference,
    planned_callback,
    refuse_unless_it_answers,
    store_callback,
)
from profiles_app.events.models.setup import Callback, EventProfile, Level, Listener, ListenerFilter, Subscription
from profiles_app.events.tags import ACCOUNT_TAGS

USED_BY_CALLBACK = "Error: Profile is in use. Look for callbacks using it."


def create_profile(*, level: Level, given: Mapping[str, Any]) -> EventProfile:
    [profile] = create_recorded([EventProfile(account=level.account, extension=level.extension, **given)])
    return profile


def delete_profile(profile: EventProfile) -> None:
    """Raises InUse when a callback needs it (events spec §5.1)."""
    with transaction.atomic():
        EventProfile.objects.select_for_update().get(pk=profile.pk)
        if Callback.objects.filter(profile=profile).exists():
            raise InUse(USED_BY_CALLBACK)
        profile.delete()


# The JSON Schemas of `filter_value`, by the type of the filter.
FILTER_VALUES: dict[str, dict[str, Any]] = table(__file__, "filter_schemas.json")


def checked_filter_value(filter_type: str, value: Any) -> Any:
    """The value to store. Raises ValidationError by field."""
    schema = FILTER_VALUES[filter_type]
    json_schema.check(schema, value, "filter_value")
    return json_schema.normalised(schema, value)


Given = Mapping[str, Any]


def create_listener(*, level: Level, given: Given) -> Listener:
    """A new listener. `given` has the wire's names: callback_id, version, expires_at."""
    with transaction.atomic():
        return _store_listener(level, given, _held_callback(level, given["callback_id"]))


def update_listener(listener: Listener, *, level: Level, given: Given) -> Listener:
    """Change what is given."""
    with transaction.atomic():
        Listener.objects.select_for_update().get(pk=listener.pk)
        if "callback_id" in given:
            listener.callback = _held_callback(level, given["callback_id"])
        for name in ("version", "expires_at"):
            if name in given:
                setattr(listener, name, given[name])
        listener.save(update_fields={name.removesuffix("_id") for name in given})
    return listener


def checked_tags(tags: Iterable[str], *, at_extension: bool) -> list[str]:
    """The tags once each. Raises ValidationError for those that an extension cannot subscribe to."""
    once = list(dict.fromkeys(tags))
    if at_extension and (beyond := [tag for tag in once if tag in ACCOUNT_TAGS]):
        raise ValidationError({":tags": [f"Only an account can subscribe to {', '.join(beyond)}."]})
    return once


def create_overview(*, level: Level, given: Given) -> Listener:
    """A listener with subscriptions, filters and, if one is described, a new callback: all of it or nothing.

    `given`: `subscriptions` (with checked tags), perhaps `filters` (with checked values), and either `callback_id` or
    `callback`, which is as for create_callback and may hold `profile`, a new event profile. Raises ValidationError
    by field of the wire.
    """
    described = given.get("callback")
    callback = _planned(level, described) if described else None
    with transaction.atomic():
        if callback and described:
            if (profile := described.get("profile")) is not None:
                callback.profile = create_profile(level=level, given=profile)
            store_callback(callback)
        else:
            callback = _held_callback(level, given["callback_id"])
        listener = _store_listener(level, given, callback)
        create_recorded(Subscription(listener=listener, **wanted) for wanted in given["subscriptions"])
        create_recorded(ListenerFilter(listener=listener, **wanted) for wanted in given.get("filters", ()))
    return listener


def _planned(level: Level, described: Given) -> Callback:
    try:
        callback = planned_callback(level=level, given=described)
        refuse_unless_it_answers(callback)
    except ValidationError as error:
        raise ValidationError({f":callback.{path}": texts for path, texts in error.message_dict.items()}) from None
    return callback


def _held_callback(level: Level, pk: int) -> Callback:
    """The callback, locked so that it is not deleted before the listener that needs it is stored."""
    callback: Callback = find_reference(
        level.rows(Callback.objects.filter(webhook_key="").select_for_update()), pk, "callback_id"
    )
    return callback


def _store_listener(level: Level, given: Given, callback: Callback) -> Listener:
    wanted = {name: given[name] for name in ("version", "expires_at") if name in given}
    return Listener.objects.create(account=level.account, extension=level.extension, callback=callback, **wanted)
