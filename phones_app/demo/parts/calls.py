"""Call records of the last two weeks, the same ones each time: more by day than by night, most of them answered."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.utils import timezone

from contacts_app.accounts.models import Account, Extension
from phones_app.demo.parts.base import DemoPart, Scene
from profiles_app.calls.models import CallRecord
from profiles_app.calls.services import completed, record_calls

DAYS, PER_DAY = 14, 20
SITES = ("Pier 4", "Boathouse")
NUMBERS = (12025550110, 12025550111, 12025550112)
Direction, Disposition = CallRecord.Direction, CallRecord.Disposition


def _was_made(account: Account) -> bool:
    return CallRecord.objects.filter(account=account).exists()


def _calls(account: Account, now: datetime) -> Iterator[CallRecord]:
    lot = Random(4)  # noqa: S311 - a story, no secret
    extensions = [str(n) for n in Extension.objects.filter(account=account).values_list("number", flat=True)] or ["201"]
    for number in range(DAYS * PER_DAY):
        started = now - timedelta(days=number // PER_DAY, hours=lot.triangular(0, 23, 6), minutes=lot.random() * 60)
        direction = lot.choice((Direction.INBOUND, Direction.INBOUND, Direction.OUTBOUND, Direction.INTERNAL))
        line, guest = lot.choice(extensions), f"+1202555{lot.randrange(120, 200):04d}"
        own = line if direction == Direction.INTERNAL else f"+{lot.choice(NUMBERS)}"
        other = lot.choice(extensions) if direction == Direction.INTERNAL else guest
        is_answered, talked = lot.random() < 0.85, timedelta(seconds=lot.randrange(10, 600))
        yield CallRecord(
            account=account,
            call_id=f"demo-{number}",
            direction=direction,
            caller=other if direction == Direction.INBOUND else own,
            called=own if direction == Direction.INBOUND else other,
            extension=line,
            started_at=started,
            answered_at=started + timedelta(seconds=8) if is_answered else None,
            ended_at=started + timedelta(seconds=8) + (talked if is_answered else timedelta(seconds=20)),
            disposition=Disposition.ANSWERED if is_answered else lot.choice((Disposition.BUSY, Disposition.NO_ANSWER)),
            cost=Decimal("0.0100") * (1 + talked.seconds // 60) if direction == Direction.OUTBOUND else None,
            site=lot.choice(SITES),
            campaign="Spring offers" if direction == Direction.OUTBOUND and lot.random() < 0.3 else "",
        )


def _make(scene: Scene) -> None:
    record_calls(completed(row, None) for row in _calls(scene.account, timezone.now()))


PART = DemoPart("calls", _was_made, _make)
