"""Telling an account once a day that the calls of a profile have nearly cost what they may (voice admission spec §4)."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from contacts_app.contacts.models.contact import EventClass
from profiles_app.events.outbox import NewsRule, emit
from profiles_app.voice.decision import day_of
from profiles_app.voice.models.admission import VoiceUsage
from profiles_app.voice.models.profile import OutboundVoiceProfile

NEAR = Decimal("0.8")
SPEND_ALERT = "voice-spend-alert"
TAGS = ("outbound-voice", SPEND_ALERT)
NEAR_THE_LIMIT = EventClass(
    "voice_spend_alert",
    "Outbound voice profiles that have nearly spent what they may on a day",
    "Outbound calls",
    OutboundVoiceProfile,
    "near the daily spend limit",
)
TOLD = {
    SPEND_ALERT: NewsRule(
        NEAR_THE_LIMIT,
        "{called}: {percent} % of the daily spend limit are spent",
        "{spent} of {limit} US dollars are spent today (UTC). Calls that would cost more are refused until midnight UTC.",
        subject="tech_prefix",
    )
}


def tell_if_near(profile: OutboundVoiceProfile, spent: Decimal, now: datetime) -> bool:
    """Write the event of the day if four fifths of the limit are spent, and nobody has been told today."""
    limit = profile.daily_spend_limit
    if limit is None or spent < NEAR * Decimal(str(limit)) or not spent:
        return False
    day = VoiceUsage.objects.filter(profile=profile, day=day_of(now))
    with transaction.atomic():
        VoiceUsage.objects.bulk_create([VoiceUsage(profile=profile, day=day_of(now))], ignore_conflicts=True)
        if not day.filter(alerted_at=None).update(alerted_at=now):
            return False
        emit(
            account=profile.account,
            tags=TAGS,
            data_type=SPEND_ALERT,
            data={
                "uuid": profile.uuid,
                "name": profile.name,
                "tech_prefix": profile.tech_prefix,
                "day": day_of(now),
                "spent": f"{spent:.2f}",
                "limit": f"{limit:.2f}",
                "percent": int(100 * spent / Decimal(str(limit))) if limit else 100,
            },
            data_object_uuid=profile.uuid,
        )
    return True
