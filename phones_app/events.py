"""The events of phones: their tags, and what contacts are notified of."""

from collections.abc import Mapping
from typing import Any

from contacts_app.contacts.models.contact import EventClass
from contacts_app.core.tables import table
from phones_app.boot.models import RequestedFile
from phones_app.deployment.models import Deployment
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from profiles_app.events.outbox import NewsRule

MOST_OF_A_FAILURE = 160


def _rollout(data: Mapping[str, Any]) -> dict[str, str]:
    """How it is called and how it went: the counts, why it ended, and the failed phones as far as they are named."""
    label = str(data.get("name") or data.get("load") or data.get("profile_name") or "")
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
# The models whose lists mails lead to.
_PAGES = {model.__name__: model for model in (Deployment, Phone, RequestedFile, Rollout, Firmware)}
CLASSES = {row["name"]: EventClass(**row | {"page": _PAGES[row["page"]]}) for row in _TABLES["class"]}
DEPLOYMENT_FAILED = CLASSES["deployment_failed"]


def _rule(event_class: str, **how: Any) -> NewsRule:
    chosen = CLASSES[event_class]
    return NewsRule(chosen, words=_rollout if chosen.page is Rollout else None, **how)


TOLD = {tag: _rule(**how) for tag, how in _TABLES["told"].items()}
