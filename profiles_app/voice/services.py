"""Outbound voice profiles, each with a tech prefix that no other one has; and rate tables, one of them the default."""

import secrets
from collections.abc import Iterable

from django.db import IntegrityError, transaction

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import update_recorded
from profiles_app.voice.models.profile import MAX_TECH_PREFIX, MIN_TECH_PREFIX, OutboundVoiceProfile
from profiles_app.voice.models.rates import RateTable

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


@transaction.atomic
def save_rate_table(table: RateTable) -> RateTable:
    """Store the table. A new default takes over from the former one."""
    if table.is_default:
        defaults = RateTable.objects.filter(is_default=True)
        update_recorded(defaults.exclude(pk=table.pk), is_default=False)
    table.save()
    return table


def rate_table_named(name: str) -> RateTable:
    """The table of this name, made if there is none. The first one is the default. Raises ValidationError."""
    table = RateTable.objects.filter(name=name).first()
    if table is None:
        table = RateTable(name=name, is_default=not RateTable.objects.filter(is_default=True).exists())
        table.full_clean(validate_constraints=False)
        table.save()
    return table
