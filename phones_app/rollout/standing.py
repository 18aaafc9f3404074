"""Where a phone of a rollout stands, as conditions on its deployment.

What follows a deployment, such as a load of firmware that the phone fetches after its file, has the last word
(`RolloutMember.sequel`): without one the deployment's own state says it all.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Case, F, Q, QuerySet, When

from phones_app.deployment.models import CALL_TO_END, FAILURES, State
from phones_app.rollout.models import Rollout, Sequel

ALONE = Q(in_rollout__sequel=Sequel.NONE)
# Its phone is waited for, and nothing else waits along.
AWAY = Q(in_rollout__sequel=Sequel.AWAY)
OPEN = Q(finished_at=None) | Q(in_rollout__sequel__in=(Sequel.PENDING, Sequel.AWAY))
LOADING = Q(finished_at__isnull=False, in_rollout__sequel=Sequel.PENDING)
CONFIRMED = Q(in_rollout__sequel=Sequel.REACHED) | ALONE & Q(state=State.CONFIRMED)
FAILED = Q(in_rollout__sequel=Sequel.FAILED) | ALONE & Q(state__in=FAILURES)
UNCONFIRMED = ALONE & Q(state=State.RESTART_ACKNOWLEDGED, finished_at__isnull=False)
# A phone that nothing restarts takes its file when it starts, which is no failure.
AT_START = ALONE & Q(state=State.UPLOADED, finished_at__isnull=False)
# What the rollout ended before, by itself or by a person.
NOT_STARTED = ALONE & Q(state=State.CANCELLED)
# A call may last for hours; the phone's restart waits for its end, and neither the next wave nor a limit waits along.
IN_CALL = Q(state=State.SESSION_CLEARED, waiting_for=CALL_TO_END)
# The last upload failed, as its file server was away; when the server comes back is not known.
TRIED_AGAIN = Q(finished_at=None, state=State.UPLOADING) & ~Q(waiting_for="")
BAD = FAILED | UNCONFIRMED

_IN_HAND = Q(finished_at=None) & ~AWAY
_HELD = _IN_HAND & Q(next_attempt_at=None, state=State.QUEUED)
_CALL = _IN_HAND & IN_CALL
# Together the parts are the whole.
PARTS: dict[str, Q] = {
    "held_back": _HELD,
    "queued": _IN_HAND & ~_HELD & Q(state=State.QUEUED),
    "under_way": _IN_HAND & ~_CALL & ~Q(state=State.QUEUED),
    "in_call": _CALL,
    "loading": LOADING,
    "away": AWAY,
    "confirmed": CONFIRMED,
    "unconfirmed": UNCONFIRMED,
    "failed": FAILED,
    "at_start": AT_START,
    "superseded": ALONE & Q(state=State.SUPERSEDED),
    "cancelled": NOT_STARTED,
}
# Where nothing more is done, and of these, where something was.
ENDED = ("confirmed", "unconfirmed", "failed", "at_start", "superseded", "cancelled")
DONE = tuple(name for name in ENDED if name != "cancelled")

# Why a phone failed: in the words of what followed its deployment, else in those of the deployment.
_FOLLOWED = {"in_rollout__sequel": Sequel.FAILED}
CODE = Case(When(**_FOLLOWED, then=F("in_rollout__sequel_code")), default=F("error_code"))
WHY = Case(When(**_FOLLOWED, then=F("in_rollout__sequel_error")), default=F("error"))

# Without a sequel the state alone says it, and the database has an index of that.
_BAD_ALONE = Q(state__in=FAILURES) | Q(state=State.RESTART_ACKNOWLEDGED, finished_at__isnull=False)


def bad_ones(rollout: Rollout) -> "QuerySet[Any]":
    """Those that failed or were not confirmed, each with the `code` of its failure and `why` it failed."""
    # Those of the time before need not be looked through; the two times are of different clocks.
    rows = rollout.deployments.filter(created_at__gte=rollout.created_at - timedelta(days=1))
    if rollout.load:
        return rows.filter(BAD).annotate(code=CODE, why=WHY)
    return rows.filter(_BAD_ALONE).annotate(code=F("error_code"), why=F("error"))
