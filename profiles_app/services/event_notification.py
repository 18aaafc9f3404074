"""Which events people are told of, and in which words: one table from tags to news for an account's contacts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from contacts_app.models import Account, EventClass
from contacts_app.models.event_class import CLASSES
from contacts_app.services.notification import News


class Rule(NamedTuple):
    """`title` and `detail` are filled with the event's data. `subject` names the field that says what it is about."""

    event_class: EventClass
    title: str
    detail: str = ""
    subject: str = "mac"
    over: bool = False


RULES = {
    "failed-deployment": Rule(EventClass.DEPLOYMENT_FAILED, "{phone}: the deployment failed", "{error}"),
    "confirmed-deployment": Rule(EventClass.DEPLOYMENT_FAILED, "{phone}: deployed after all", over=True),
    "phone-unreachable": Rule(EventClass.PHONE_UNREACHABLE, "{phone} cannot be reached", "{error}"),
    "phone-at-another-address": Rule(EventClass.PHONE_UNREACHABLE, "{phone} has moved", "{error}"),
    "phone-seen-again": Rule(EventClass.PHONE_UNREACHABLE, "{phone} is back", over=True),
    "phone-file-changed": Rule(EventClass.DRIFT_FOUND, "{phone}: its file was changed behind our back"),
    "phone-file-missing": Rule(EventClass.DRIFT_FOUND, "{phone}: its file is missing"),
    "phone-file-in-place": Rule(EventClass.DRIFT_FOUND, "{phone}: its file is in its place again", over=True),
    "finished-rollout": Rule(
        EventClass.ROLLOUT_FINISHED, "Rollout {label} has finished", "{summary}", "label"
    ),
    "paused-rollout": Rule(EventClass.ROLLOUT_PAUSED, "Rollout {label} was paused", "{summary}", "label"),
    "aborted-rollout": Rule(EventClass.ROLLOUT_ABORTED, "Rollout {label} was aborted", "{summary}", "label"),
    "created-token": Rule(
        EventClass.TOKEN_CREATED, "API token {name} ({key_id}…) was created", subject="key_id"
    ),
    "revoked-token": Rule(
        EventClass.TOKEN_REVOKED, "API token {name} ({key_id}…) was revoked", subject="key_id"
    ),
}
# What fails in a rollout is told with the rollout.
TOLD_BY_ROLLOUT = "failed-deployment"
MOST_OF_A_FAILURE = 160


def news_of(account: Account | None, tags: Sequence[str], data: Mapping[str, Any]) -> list[News]:
    """What an account's contacts are to be told of an event, which is mostly nothing."""
    told = [tag for tag in tags if tag in RULES and not (tag == TOLD_BY_ROLLOUT and data.get("rollout"))]
    return [_news(account, RULES[tag], data) for tag in told if account]


def _news(account: Account, rule: Rule, data: Mapping[str, Any]) -> News:
    words = defaultdict(str, {name: "" if value is None else str(value) for name, value in data.items()})
    words["phone"] = f"{words['name']} ({words['mac']})" if words["name"] else words["mac"]
    words["label"] = words["name"] or words["profile_name"]
    if "failures" in data:
        words["summary"] = _summary(data)
    subject = words[rule.subject]
    listed = reverse(f"admin:{CLASSES[rule.event_class].page}_changelist")
    return News(
        account=account,
        event_class=rule.event_class,
        title=rule.title.format_map(words),
        detail=rule.detail.format_map(words),
        path=f"{listed}?{urlencode({'q': subject})}",
        key=subject,
        over=rule.over,
    )


def _summary(data: Mapping[str, Any]) -> str:
    """How a rollout went: the counts, why it ended, and the phones that failed as far as they are named."""
    lines = [f"{data['confirmed']} of {data['total']} phones confirmed, {data['failed']} failed."]
    lines += [str(data["reason"])] if data["reason"] else []
    lines += [
        f"{failure['name'] or failure['mac']} ({failure['mac']}): {failure['error']}"[:MOST_OF_A_FAILURE]
        for failure in data["failures"]
    ]
    more = data["failed"] - len(data["failures"])
    return "\n".join([*lines, f"and {more} more."] if more else lines)
