"""What Patchbay itself tells contacts of, beside the documented types of the notifications API: one table."""

from typing import NamedTuple

from django.db import models


class EventClass(models.TextChoices):
    """What a contact can choose. A class that can recover tells both: the trouble, and that it is over."""

    DEPLOYMENT_FAILED = "deployment_failed", "Deployments that fail, and phones deployed after all"
    PHONE_UNREACHABLE = "phone_unreachable", "Phones that cannot be reached, and are back"
    DRIFT_FOUND = "drift_found", "Phones that use another file than theirs, and no longer do"
    ROLLOUT_FINISHED = "rollout_finished", "Rollouts that have finished"
    ROLLOUT_PAUSED = "rollout_paused", "Rollouts that were paused"
    ROLLOUT_ABORTED = "rollout_aborted", "Rollouts that were aborted"
    CALLBACK_FAILING = "callback_failing", "Callbacks that take no events, and do again"
    CALLBACK_DEREGISTERED = "callback_deregistered", "Callbacks that were switched off"
    TOKEN_CREATED = "token_created", "API tokens that were created"
    TOKEN_REVOKED = "token_revoked", "API tokens that were revoked"


class Words(NamedTuple):
    """How a mail about several is headed: `topic: 12 happened, 3 over`. Without `over` nothing recovers."""

    topic: str
    page: str  # The model that the admin lists.
    happened: str
    over: str = ""
    # Whether contacts are told who have not decided.
    told: bool = True


# The owner of a callback is told at the support address of its event profile; contacts are if they ask for it.
CLASSES = {
    EventClass.DEPLOYMENT_FAILED: Words(
        "Deployments", "phones_app_deployment", "failed", "succeeded after all"
    ),
    EventClass.PHONE_UNREACHABLE: Words("Phones", "phones_app_phone", "not reachable", "back"),
    EventClass.DRIFT_FOUND: Words("Phone files", "phones_app_phone", "not as deployed", "in order again"),
    EventClass.ROLLOUT_FINISHED: Words("Rollouts", "phones_app_rollout", "finished"),
    EventClass.ROLLOUT_PAUSED: Words("Rollouts", "phones_app_rollout", "paused"),
    EventClass.ROLLOUT_ABORTED: Words("Rollouts", "phones_app_rollout", "aborted"),
    EventClass.CALLBACK_FAILING: Words(
        "Callbacks", "profiles_app_callback", "failing", "working again", told=False
    ),
    EventClass.CALLBACK_DEREGISTERED: Words("Callbacks", "profiles_app_callback", "switched off", told=False),
    EventClass.TOKEN_CREATED: Words("API tokens", "contacts_app_apitoken", "created"),
    EventClass.TOKEN_REVOKED: Words("API tokens", "contacts_app_apitoken", "revoked"),
}


def is_told_by_default(type_: str) -> bool:
    """Whether a contact that has not decided is told of it; of the documented types always."""
    return type_ not in EventClass.values or CLASSES[EventClass(type_)].told
