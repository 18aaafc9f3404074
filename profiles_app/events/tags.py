"""The tags that events bear and subscriptions ask for (events spec §5.4), and which of them contacts are told of.

What is told, and in which words, is a table from tags to news, to which the apps above add their rows.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from contacts_app.accounts.models import Account
from contacts_app.contacts.models.contact import EventClass
from contacts_app.contacts.models.contact import register as register_classes
from contacts_app.contacts.notification import News, list_path
from contacts_app.core.tables import table
from contacts_app.tokens.models import ApiToken

_TABLES = table(__file__, "tags.toml")
DOCUMENTED = (*_TABLES["published"], *_TABLES["guide_only"])
# What other systems may feed in: telling of what happens here is for Patchbay alone.
FOREIGN = tuple(tag for tag in DOCUMENTED if not tag.endswith("listener-callback"))
TAGS: list[str] = [*DOCUMENTED, *_TABLES["own"]]
# Errors of the API concern the account, so no extension hears of them.
ACCOUNT_TAGS = ("api-error", "api-error-trusted")


class Rule(NamedTuple):
    """`title` and `detail` are filled with the event's data. `subject` names the field that says what it is about."""

    event_class: EventClass
    title: str
    detail: str = ""
    subject: str = "mac"
    over: bool = False
    # A field of the data; where it is filled, the event is told with another one.
    unless: str = ""
    # More fields for `title`, `detail` and `subject`, from those of the data.
    words: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _data: {}


rules: dict[str, Rule] = {}


def register(*tags: str, told: Mapping[str, Rule] | None = None) -> None:
    """Add tags, and what of them contacts are told. Called from the `ready` of the app whose events they are."""
    at = TAGS.index(_TABLES["own"][0])
    TAGS[at:at] = tags
    rules.update(told or {})
    register_classes(*(rule.event_class for rule in (told or {}).values()))


def news_of(account: Account | None, tags: Sequence[str], data: Mapping[str, Any]) -> list[News]:
    """What an account's contacts are to be told of an event, which is mostly nothing."""
    found = [rules[tag] for tag in tags if tag in rules]
    return [_news(account, rule, data) for rule in found if account and not data.get(rule.unless)]


def _news(account: Account, rule: Rule, data: Mapping[str, Any]) -> News:
    words = defaultdict(str, {name: "" if value is None else str(value) for name, value in data.items()})
    words.update(rule.words(data))
    subject = words[rule.subject]
    return News(
        account=account,
        event_class=rule.event_class,
        title=rule.title.format_map(words),
        detail=rule.detail.format_map(words),
        path=f"{list_path(rule.event_class.page)}?{urlencode({'q': subject})}",
        key=subject,
        over=rule.over,
    )


TOKEN_CREATED = EventClass("token_created", "API tokens that were created", "API tokens", ApiToken, "created")
TOKEN_REVOKED = EventClass("token_revoked", "API tokens that were revoked", "API tokens", ApiToken, "revoked")
TOLD_OF_TOKENS = {
    "created-token": Rule(TOKEN_CREATED, "API token {name} ({key_id}…) was created", subject="key_id"),
    "revoked-token": Rule(TOKEN_REVOKED, "API token {name} ({key_id}…) was revoked", subject="key_id"),
}
