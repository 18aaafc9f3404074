"""The tags that events bear and subscriptions ask for (events spec §5.4)."""

from contacts_app.core.tables import table

_TABLES = table(__file__, "tags.toml")
DOCUMENTED = (*_TABLES["published"], *_TABLES["guide_only"])
# What other systems may feed in: telling of what happens here is for Patchbay alone.
FOREIGN = tuple(tag for tag in DOCUMENTED if not tag.endswith("listener-callback"))
TAGS: list[str] = [*DOCUMENTED, *_TABLES["own"]]
# Errors of the API concern the account, so no extension hears of them.
ACCOUNT_TAGS = ("api-error", "api-error-trusted")


def register(*tags: str) -> None:
    """Add tags. Called from the `ready` of the app whose events bear them."""
    at = TAGS.index(_TABLES["own"][0])
    TAGS[at:at] = tags
