"""What of the phones stands in the way of deleting an account."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from contacts_app.accounts.models import Account
from contacts_app.core.work.lease import no_live_lease
from phones_app.deployment.models import Deployment, State
from profiles_app.phone.sep.mac import colons

NAMED = 10


def deployments_under_way(*, accounts: Sequence[Account], **_: Any) -> list[str]:
    """A phone whose file or restart is on its way would be left half done; what is only queued goes along."""
    taken = ~(Q(state=State.QUEUED) & no_live_lease())
    running = Deployment.objects.filter(taken, account__in=accounts, finished_at=None)
    number = running.count()
    if not number:
        return []
    names = ", ".join(colons(mac) for mac in running.order_by("mac").values_list("mac", flat=True)[:NAMED])
    what = "1 deployment is" if number == 1 else f"{number} deployments are"
    return [f"{what} under way, to {names}{' …' if number > NAMED else ''}"]
