"""How a rollout stands in a word and its colour. Having come to its end says nothing of its phones: they may all have
failed, so that the word tells of those.
"""

from collections.abc import Mapping, Sequence

from phones_app.rollout.models import Rollout, RolloutCount, RolloutState

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


def ending_of(rollout: Rollout, parts: Mapping[str, int] | None) -> Ending:
    """`parts` are the numbers of its phones (`standing.PARTS`), as far as they are known; None: not at all."""
    word, colour = rollout.get_state_display(), COLOURS[rollout.state]
    if rollout.state != RolloutState.FINISHED:
        return word, colour
    if parts is None:
        return word, ""
    failed, unconfirmed = parts.get("failed", 0), parts.get("unconfirmed", 0)
    if not failed + unconfirmed:
        return word, colour
    told = [f"{number:,} {what}" for number, what in ((failed, "failed"), (unconfirmed, "not confirmed")) if number]
    none_is_right = failed and failed + unconfirmed >= rollout.total
    return ", ".join([word, *told]), "danger" if none_is_right else "warning"


def endings(rollouts: Sequence[Rollout]) -> dict[int, Ending]:
    """Of each, by its key, as they were counted last: no list waits for that."""
    over = [rollout.pk for rollout in rollouts if rollout.state == RolloutState.FINISHED]
    parts = dict(RolloutCount.objects.filter(rollout__in=over).values_list("rollout", "numbers__parts"))
    return {rollout.pk: ending_of(rollout, parts.get(rollout.pk)) for rollout in rollouts}
