"""When something is tried again: one schedule for callbacks and gateways alike (events spec §7.1)."""

from datetime import timedelta

from django.conf import settings


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None: they are used up."""
    offsets = settings.CALLBACK_ATTEMPT_SECONDS
    if attempts >= len(offsets):
        return None
    return timedelta(seconds=offsets[attempts] - offsets[attempts - 1])
