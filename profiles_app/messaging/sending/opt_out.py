"""Who wants no messages: recipients that have answered with one of the profile's opt-out words (sending spec §5)."""

import string
from collections.abc import Iterable

from profiles_app.messaging.models import MessagingProfile
from profiles_app.messaging.sending.models import OptOut
from profiles_app.messaging.services import spelled_recipient

LONGEST_RECIPIENT = 15


def words_in(text: str) -> list[str]:
    """The words of a list, in the spelling that is compared."""
    return [word for part in text.split(",") if (word := _compared(part))]


def heed(profile: MessagingProfile, sender: str, text: str) -> None:
    """Note what an inbound message says about messages to its sender, within the caller's transaction."""
    word, recipient = _compared(text), spelled_recipient(sender)
    if not word or len(recipient) > LONGEST_RECIPIENT:
        return
    if word in words_in(profile.opt_out_words):
        OptOut.objects.get_or_create(profile=profile, recipient=recipient, defaults={"word": word[:32]})
    elif word in words_in(profile.opt_in_words):
        for row in OptOut.objects.filter(profile=profile, recipient=recipient):
            row.delete()


def opted_out(profile_id: int | None, recipients: Iterable[str]) -> set[str]:
    """Those of the recipients that want nothing of the profile."""
    rows = OptOut.objects.filter(profile=profile_id, recipient__in=set(recipients)).order_by()
    return set(rows.values_list("recipient", flat=True))


def _compared(text: str) -> str:
    """A message is a word where nothing stands beside it but spaces and punctuation, in any case."""
    return text.strip(string.whitespace + string.punctuation).upper()
