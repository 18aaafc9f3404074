"""Storing and deleting event profiles: each in one transaction with its history and its event."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from contacts_app.services.history import create_recorded
from profiles_app.models import Callback, EventProfile
from profiles_app.services.errors import InUse
from profiles_app.services.level import Level

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
