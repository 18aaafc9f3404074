"""The mails that a listener sends to an email callback, and ending them without a login (events spec §7)."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from profiles_app.models import Callback, Delivery, Listener
from profiles_app.services.envelope import unsubscribe_code_fits

ENDED = "The mailbox's owner has ended the mails of this listener."


@dataclass(frozen=True)
class Mails:
    listener: Listener
    address: str

    @property
    def shown_address(self) -> str:
        """Enough for its owner to know it, and too little for whoever a mail was forwarded to."""
        name, _, domain = self.address.partition("@")
        return f"{name[:1]}…@{domain}"


def mails_of(listener_id: int, code: str) -> Mails | None:
    """What a link is about; None for one that we have not made, or whose address or callback has changed since."""
    listener = Listener.objects.select_related("callback", "account").filter(pk=listener_id).first()
    if listener is None or listener.callback.mode != Callback.Mode.EMAIL:
        return None
    address = listener.callback.config["email"]
    return Mails(listener, address) if unsubscribe_code_fits(code, listener_id, address) else None


@transaction.atomic
def end_mails(mails: Mails) -> None:
    """The listener fires no more, nor is tried again what it has fired.

    It stays in lists, and whoever manages it can prolong it again.
    """
    listener, now = mails.listener, timezone.now()
    if not listener.has_expired:
        listener.expires_at = now
        listener.save(update_fields=["expires_at"])
    # A worker that is in the middle of a round leaves alone what is not pending any more when it writes that down.
    pending = Delivery.objects.filter(callback=listener.callback_id, state=Delivery.State.PENDING)
    pending.filter(listener_id=listener.pk).update(
        state=Delivery.State.SUPPRESSED, outcome=ENDED, finished_at=now
    )
