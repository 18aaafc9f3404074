"""The events of phones: their tags, what deployments say of their rollouts, and what contacts are notified of."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from contacts_app.contacts.models.contact import EventClass
from contacts_app.core.tables import table
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout, RolloutMember
from profiles_app.events.outbox import NewsRule

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


_TABLES = table(__file__, "events.toml")
TAGS: list[str] = _TABLES["tags"]
# The models whose lists mails lead to, and the words that fill titles and details about them.
_SUBJECTS = {"Deployment": (Deployment, _phone), "Phone": (Phone, _phone), "Rollout": (Rollout, _rollout)}
CLASSES = {row["name"]: EventClass(**row | {"page": _SUBJECTS[row["page"]][0]}) for row in _TABLES["class"]}
DEPLOYMENT_FAILED = CLASSES["deployment_failed"]


def _rule(event_class: str, **how: Any) -> NewsRule:
    chosen = CLASSES[event_class]
    return NewsRule(chosen, words=_SUBJECTS[chosen.page.__name__][1], **how)


TOLD = {tag: _rule(**how) for tag, how in _TABLES["told"].items()}


def rollouts_of(deployments: Sequence[Deployment]) -> dict[Deployment, dict[str, Any]]:
    """What events of these deployments say of their rollouts; read once for each deployment a worker has."""
    members = RolloutMember.objects.select_related("rollout").defer("rollout__refused")
    prefetch_related_objects(deployments, Prefetch("in_rollout", members))
    found = {row: getattr(row, "in_rollout", None) for row in deployments}
    return {row: {"rollout": member.rollout.uuid if member else None} for row, member in found.items()}
