"""Deleting event profiles; everything else about them is plain storage."""

from django.db import transaction

from profiles_app.models import Callback, EventProfile
from profiles_app.services.errors import InUse

USED_BY_CALLBACK = "Error: Profile is in use. Look for callbacks using it."


def delete_profile(profile: EventProfile) -> None:
    """Raises InUse when a callback needs it (events spec §5.1)."""
    with transaction.atomic():
        EventProfile.objects.select_for_update().get(pk=profile.pk)
        if Callback.objects.filter(profile=profile).exists():
            raise InUse(USED_BY_CALLBACK)
        profile.delete()
