"""Outbound voice profiles: each has a tech prefix that no other one has."""

import secrets
from collections.abc import Iterable

from django.db import IntegrityError, transaction

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from profiles_app.voice.models.profile import MAX_TECH_PREFIX, MIN_TECH_PREFIX, OutboundVoiceProfile

# With nine of ten prefixes taken this many draws still find a free one in all but one of 10¹³ cases.
DRAWS = 300


def save_outbound_voice_profile(
    profile: OutboundVoiceProfile, *, actor: Actor, changed: Iterable[str] | None = None
) -> OutboundVoiceProfile:
    """Store the profile, of an existing one only the `changed` fields. Without a tech prefix it gets a free one."""
    profile.stamp_author(actor)
    if profile.tech_prefix is None:
        profile.tech_prefix = _free_prefix()
    try:
        with transaction.atomic():
            profile.save(update_fields=None if changed is None else {*changed, "modified_by", "updated_at"})
    except IntegrityError:
        same = OutboundVoiceProfile.objects.filter(tech_prefix=profile.tech_prefix)
        if not same.exclude(pk=profile.pk).exists():
            raise
        raise Refusal("tech-prefix-taken", f"The tech prefix {profile.tech_prefix} is taken") from None
    return profile


def _free_prefix() -> int:
    """Drawn by lot: counting up would tell how many profiles others have."""
    for _ in range(DRAWS):
        prefix = MIN_TECH_PREFIX + secrets.randbelow(MAX_TECH_PREFIX - MIN_TECH_PREFIX + 1)
        if not OutboundVoiceProfile.objects.filter(tech_prefix=prefix).exists():
            return prefix
    raise Refusal("no-tech-prefix", "No tech prefix is free")
