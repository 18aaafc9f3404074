"""The events of phones: their tags, and of which of them contacts are notified, in which words."""

from collections.abc import Mapping
from typing import Any

from contacts_app.contacts.models.contact import EventClass
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from profiles_app.events.tags import Rule

TAGS = (
    *("deployment", "uploaded-deployment", "confirmed-deployment", "failed-deployment"),
    *("phone", "restarted-phone", "phone-unreachable", "phone-seen-again", "phone-at-another-address"),
    *("phone-file-changed", "phone-file-missing", "phone-file-in-place"),
    *("rollout", "started-rollout", "paused-rollout", "aborted-rollout", "finished-rollout"),
)

DEPLOYMENT_FAILED = EventClass(
    "deployment_failed",
    "Deployments that fail, and phones deployed after all",
    "Deployments",
    Deployment,
    "failed",
    "succeeded after all",
)
PHONE_UNREACHABLE = EventClass(
    "phone_unreachable", "Phones that cannot be reached, and are back", "Phones", Phone, "not reachable", "back"
)
DRIFT_FOUND = EventClass(
    "drift_found",
    "Phones that use another file than theirs, and no longer do",
    "Phone files",
    Phone,
    "not as deployed",
    "in order again",
)
ROLLOUT_FINISHED = EventClass("rollout_finished", "Rollouts that have finished", "Rollouts", Rollout, "finished")
ROLLOUT_PAUSED = EventClass("rollout_paused", "Rollouts that were paused", "Rollouts", Rollout, "paused")
ROLLOUT_ABORTED = EventClass("rollout_aborted", "Rollouts that were aborted", "Rollouts", Rollout, "aborted")

MOST_OF_A_FAILURE = 160


def _phone(data: Mapping[str, Any]) -> dict[str, str]:
    mac, name = str(data.get("mac") or ""), data.get("name")
    return {"phone": f"{name} ({mac})" if name else mac}


def _rollout(data: Mapping[str, Any]) -> dict[str, str]:
    """How it is called and how it went: the counts, why it ended, and the failed phones as far as they are named."""
    label = str(data.get("name") or data.get("profile_name") or "")
    if "failures" not in data:
        return {"label": label}
    lines = [f"{data['confirmed']} of {data['total']} phones confirmed, {data['failed']} failed."]
    lines += [str(data["reason"])] if data["reason"] else []
    lines += [
        f"{failure['name'] or failure['mac']} ({failure['mac']}): {failure['error']}"[:MOST_OF_A_FAILURE]
        for failure in data["failures"]
    ]
    more = data["failed"] - len(data["failures"])
    return {"label": label, "summary": "\n".join([*lines, f"and {more} more."] if more else lines)}


def _of_phone(event_class: EventClass, title: str, detail: str = "", **how: Any) -> Rule:
    return Rule(event_class, title, detail, words=_phone, **how)


def _of_rollout(event_class: EventClass, title: str) -> Rule:
    return Rule(event_class, title, "{summary}", "label", words=_rollout)


TOLD = {
    # What fails in a rollout is told with the rollout.
    "failed-deployment": _of_phone(DEPLOYMENT_FAILED, "{phone}: the deployment failed", "{error}", unless="rollout"),
    "confirmed-deployment": _of_phone(DEPLOYMENT_FAILED, "{phone}: deployed after all", over=True),
    "phone-unreachable": _of_phone(PHONE_UNREACHABLE, "{phone} cannot be reached", "{error}"),
    "phone-at-another-address": _of_phone(PHONE_UNREACHABLE, "{phone} has moved", "{error}"),
    "phone-seen-again": _of_phone(PHONE_UNREACHABLE, "{phone} is back", over=True),
    "phone-file-changed": _of_phone(DRIFT_FOUND, "{phone}: its file was changed behind our back"),
    "phone-file-missing": _of_phone(DRIFT_FOUND, "{phone}: its file is missing"),
    "phone-file-in-place": _of_phone(DRIFT_FOUND, "{phone}: its file is in its place again", over=True),
    "finished-rollout": _of_rollout(ROLLOUT_FINISHED, "Rollout {label} has finished"),
    "paused-rollout": _of_rollout(ROLLOUT_PAUSED, "Rollout {label} was paused"),
    "aborted-rollout": _of_rollout(ROLLOUT_ABORTED, "Rollout {label} was aborted"),
}
