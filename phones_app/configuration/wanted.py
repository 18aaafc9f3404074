"""Working out what phones should run, where that is made from data: renderings whose digests are kept, and no file.

A row is due at `due_at`, which is set ahead while it is worked on: a worker that dies leaves it due. What is marked due
once more meanwhile has another time than the one that was claimed, so that its result is not written down.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.errors import Refusal
from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from phones_app.configuration.changes import CONFIGURATIONS, LONGEST_LOAD
from phones_app.configuration.models import PhoneConfiguration
from phones_app.configuration.rendering import Outcome, revisions_for
from phones_app.inventory.models import Phone
from profiles_app.phone import sep

WRITTEN = ("sha256", "error", "registration_user", "beside", "load", "rendered_at", "due_at")
# Of the phones of a profile that is no longer there nothing is to be told.
NO_PROFILE = "no-profile"


class Configurations(Work):
    name = queue = CONFIGURATIONS
    model = PhoneConfiguration
    due_field = "due_at"
    batch = 200
    claim_time = timedelta(minutes=2)
    account = "phone__account"
    # So that a worker with other work gets to it.
    round_time = timedelta(seconds=30)

    @classmethod
    def due(cls) -> "QuerySet[PhoneConfiguration]":
        return PhoneConfiguration.objects.filter(due_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        claimed: defaultdict[datetime, list[PhoneConfiguration]] = defaultdict(list)
        for row in PhoneConfiguration.objects.filter(pk__in=among(keys)):
            if row.due_at is not None:
                claimed[row.due_at].append(row)
        phones = list(Phone.objects.filter(pk__in=among(keys)).defer("web_password", "description"))
        outcomes = revisions_for(phones, store=False)
        for due_at, rows in claimed.items():
            known = [_with(row, outcomes[row.pk]) for row in rows if row.pk in outcomes]
            write_down(known, due_at)


def _with(row: PhoneConfiguration, outcome: Outcome) -> PhoneConfiguration:
    if isinstance(outcome, Refusal):
        row.error, row.sha256, row.registration_user = outcome.message, "", ""
        row.beside, row.load = None, ""
        if outcome.code == NO_PROFILE:
            row.error = ""
    else:
        row.error, row.sha256 = "", outcome.sha256
        row.registration_user = str(outcome.facts.get("registration_user") or "")[:255]
        row.beside = sep.of_companions(outcome.facts)
        row.load = str(outcome.facts.get("load") or "")[:LONGEST_LOAD]
    row.rendered_at, row.due_at = clock.now(), None
    return row


@transaction.atomic
def write_down(rows: Sequence[PhoneConfiguration], due_at: datetime) -> None:
    """Keep what was worked out for rows that nothing has marked due since."""
    ours = PhoneConfiguration.objects.filter(due_at=due_at)
    list(ours.filter(pk__in=among([row.pk for row in rows])).order_by("pk").select_for_update().values_list("pk"))
    ours.bulk_update(rows, WRITTEN, batch_size=len(rows) or 1)
