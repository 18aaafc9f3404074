"""The live use of voice profiles: channels now, money of the day, and what was refused today for which reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from django.db.models import Count, Q, QuerySet

from contacts_app.core.work import clock
from profiles_app.voice.decision import UseNow, day_of, in_use
from profiles_app.voice.models.admission import Admission, VoiceUsage
from profiles_app.voice.models.profile import OutboundVoiceProfile


@dataclass(frozen=True)
class Use:
    """Of one profile: `calls` and `seconds` are those that ended today, `refused` counts by reason."""

    profile: OutboundVoiceProfile
    now: UseNow
    calls: int = 0
    seconds: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def refusals(self) -> int:
        return sum(self.refused.values())

    def as_row(self) -> dict[str, object]:
        profile = self.profile
        return {
            "uuid": profile.uuid,
            "account": profile.account.voip_id,
            "name": profile.name,
            "tech_prefix": profile.tech_prefix,
            "channels": self.now.channels,
            "channel_limit": profile.channel_limit,
            "spent": self.now.spent,
            "daily_spend_limit": profile.daily_spend_limit,
            "calls": self.calls,
            "seconds": self.seconds,
            "refusals": self.refusals,
            "refused": self.refused,
        }


def midnight(now: datetime) -> datetime:
    """The beginning of the day, which is one of UTC."""
    return datetime.combine(day_of(now), time.min, UTC)


def use_of(profiles: Sequence[OutboundVoiceProfile]) -> list[Use]:
    """The use of these profiles at this moment, in their order: three queries, however many they are."""
    now = clock.now()
    keys = [profile.pk for profile in profiles]
    ended = {usage.profile_id: usage for usage in VoiceUsage.objects.filter(profile__in=keys, day=day_of(now))}
    refused: dict[int, dict[str, int]] = {}
    for key, reason, number in _refused(keys, now):
        refused.setdefault(key, {})[reason] = number
    busy = in_use(keys, now)
    nothing = VoiceUsage()
    uses = []
    for profile in profiles:
        usage = ended.get(profile.pk, nothing)
        uses.append(Use(profile, busy[profile.pk], usage.calls, usage.seconds, refused.get(profile.pk, {})))
    return uses


def _refused(keys: Iterable[int], now: datetime) -> Iterable[tuple[int, str, int]]:
    rows = Admission.objects.filter(~Q(reason=""), profile__in=keys, created_at__gte=midnight(now)).order_by()
    return rows.values_list("profile", "reason").annotate(number=Count("pk")).order_by("profile", "reason")


def used_today(profiles: QuerySet[OutboundVoiceProfile]) -> QuerySet[OutboundVoiceProfile]:
    """Those of the profiles that have calls which have not ended, or had or refused some today."""
    now = clock.now()
    ended = VoiceUsage.objects.filter(day=day_of(now)).values("profile")
    running = Admission.objects.filter(Admission.OPEN).values("profile")
    refused = Admission.objects.filter(~Q(reason=""), created_at__gte=midnight(now)).values("profile")
    return profiles.filter(Q(pk__in=ended) | Q(pk__in=running) | Q(pk__in=refused))
