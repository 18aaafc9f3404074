"""What messages add up to by profile and by day; days are those of the current time zone."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from profiles_app.messaging.sending.models import Message

State = Message.State
DAYS = 30
COUNTS = {
    "messages": Count("pk"),
    "sent": Count("sent_at"),
    "delivered": Count("pk", filter=Q(state=State.DELIVERED)),
    "failed": Count("pk", filter=Q(state__in=(State.UNDELIVERED, State.FAILED))),
}


@dataclass(frozen=True)
class MessageSums:
    """`messages` were handed in, `sent` were taken by a gateway; `failed` were refused or not delivered."""

    messages: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0

    def __add__(self, other: "MessageSums") -> "MessageSums":
        return MessageSums(*(getattr(self, name) + getattr(other, name) for name in COUNTS))


def recent_days(number: int = DAYS) -> list[date]:
    """The last days, today included."""
    today = timezone.localdate()
    return [today - timedelta(days=ago) for ago in reversed(range(number))]


def sums_by_profile(profiles: Collection[int], days: list[date]) -> dict[int, MessageSums]:
    """Of messages handed in on these days, for those of the profiles that have any."""
    return dict(_added_up(_messages(profiles, days), "messaging_profile_id"))


def sums_by_day(profile: int, days: list[date]) -> dict[date, MessageSums]:
    """Of messages handed in on each of these days, for days that have any."""
    return dict(_added_up(_messages([profile], days).annotate(day=TruncDate("created_at")), "day"))


def _messages(profiles: Collection[int], days: list[date]) -> QuerySet[Message]:
    """Messages are numbered as they are handed in, so the index by profile and number finds those of the last days."""
    since = timezone.make_aware(datetime.combine(days[0], time.min))
    recent = Message.objects.filter(created_at__gte=since).order_by("created_at", "pk")
    first = recent.values_list("pk", flat=True).first()
    if first is None:
        return Message.objects.none()
    return Message.objects.filter(messaging_profile__in=profiles, pk__gte=first, created_at__gte=since)


def _added_up(rows: QuerySet[Message], key: str) -> "Iterator[tuple[Any, MessageSums]]":
    for row in rows.order_by().values(key).annotate(**COUNTS):
        yield row[key], MessageSums(**{name: row[name] for name in COUNTS})
