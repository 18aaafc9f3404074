"""What of the phones stands in the way of deleting an account."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from contacts_app.models import Account
from phones_app.models import Deployment
from phones_app.models.deployment import State
from phones_app.sep.mac import colons
from phones_app.services.transitions import no_live_lease

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
