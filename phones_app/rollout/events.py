"""The events of rollouts, emitted in the transaction of the change: each account learns of its own phones."""

from django.db.models import Count

from contacts_app.accounts.models import Account
from phones_app.deployment.outcome import own_phone
from phones_app.rollout.models import Rollout, RolloutState
from phones_app.rollout.standing import CODE, CONFIRMED, FAILED, WHY
from profiles_app.events.outbox import EventDraft, emit_many
from profiles_app.phone.sep.catalogue import colons

TAGS = {
    RolloutState.RUNNING: "started-rollout",
    RolloutState.PAUSED: "paused-rollout",
    RolloutState.FINISHED: "finished-rollout",
    RolloutState.ABORTED: "aborted-rollout",
}
# So many failed phones are named; the others are counted.
MOST_FAILURES = 20


def tell(rollout: Rollout) -> None:
    """Emit what has just happened to it; not that a person has cancelled it, who knows that."""
    tag = TAGS.get(RolloutState(rollout.state))
    if tag is None:
        return
    own = Account.objects.filter(rollouts=rollout)
    accounts = (
        own if rollout.account_id else Account.objects.filter(deployments__in_rollout__rollout=rollout).distinct()
    )
    emit_many(
        [
            EventDraft(account, ["rollout", tag], "rollout", _data(rollout, account), rollout.uuid)
            for account in accounts
        ]
    )


def _data(rollout: Rollout, account: Account) -> dict[str, object]:
    rows = rollout.deployments.filter(account=account)
    counts = rows.aggregate(
        total=Count("pk"), confirmed=Count("pk", filter=CONFIRMED), failed=Count("pk", filter=FAILED)
    )
    failed = rows.filter(FAILED).annotate(code=CODE, why=WHY).select_related("phone").order_by("pk")[:MOST_FAILURES]
    return {
        "uuid": rollout.uuid,
        "name": rollout.name,
        "profile_name": rollout.profile_name,
        "load": rollout.load,
        "state": rollout.state,
        "reason": rollout.reason,
        **counts,
        "failures": [
            {
                "mac": colons(row.mac),
                "name": phone.name if (phone := own_phone(row)) else "",
                "error_code": row.code,
                "error": row.why,
            }
            for row in failed
        ],
    }
