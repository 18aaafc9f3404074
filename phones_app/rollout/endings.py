"""How a rollout stands in a word and its colour. Having come to its end says nothing of its phones: they may all have
failed, so that the word tells of those.
"""

from collections.abc import Mapping, Sequence

from django.db.models import Count

from phones_app.deployment.models import Deployment
from phones_app.rollout import counting
from phones_app.rollout.models import Rollout, RolloutCount, RolloutState
from phones_app.rollout.standing import FAILED, UNCONFIRMED

COLOURS: dict[str, str] = {
    RolloutState.PLANNING: "info",
    RolloutState.RUNNING: "info",
    RolloutState.PAUSED: "warning",
    RolloutState.FINISHED: "success",
    RolloutState.ABORTED: "danger",
    RolloutState.CANCELLED: "",
}
# The word and its colour.
Ending = tuple[str, str]


def ending_of(rollout: Rollout, parts: Mapping[str, int]) -> Ending:
    """`parts` are the numbers of its phones (`standing.PARTS`), or those that are known."""
    word, colour = rollout.get_state_display(), COLOURS[rollout.state]
    failed, unconfirmed = parts.get("failed", 0), parts.get("unconfirmed", 0)
    if rollout.state != RolloutState.FINISHED or not failed + unconfirmed:
        return word, colour
    told = [f"{number:,} {what}" for number, what in ((failed, "failed"), (unconfirmed, "not confirmed")) if number]
    none_is_right = failed and failed + unconfirmed >= rollout.total
    return ", ".join([word, *told]), "danger" if none_is_right else "warning"


def endings(rollouts: Sequence[Rollout]) -> dict[int, Ending]:
    """Of each, by its key; two queries. Large ones were counted before, and no list waits for that."""
    over = [rollout for rollout in rollouts if rollout.state == RolloutState.FINISHED]
    small = [rollout.pk for rollout in over if rollout.total <= counting.FEW]
    large = [rollout.pk for rollout in over if rollout.total > counting.FEW]
    parts = dict(RolloutCount.objects.filter(rollout__in=large).values_list("rollout", "numbers__parts"))
    counted = Deployment.objects.filter(in_rollout__rollout__in=small).order_by().values("in_rollout__rollout")
    for row in counted.annotate(failed=Count("pk", filter=FAILED), unconfirmed=Count("pk", filter=UNCONFIRMED)):
        parts[row["in_rollout__rollout"]] = row
    return {rollout.pk: ending_of(rollout, parts.get(rollout.pk) or {}) for rollout in rollouts}
