"""The mails that email callbacks send, and ending them without a login (events spec §7)."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from profiles_app.models import Callback, CallbackLane, Delivery, Listener
from profiles_app.services.callback_state import deregister
from profiles_app.services.envelope import unsubscribe_code_fits

ENDED = "The mailbox's owner has ended the mails of this listener."
NOT_WANTED = "The mailbox's owner wants no mails of it."


@dataclass(frozen=True)
class Mails:
    """Those that a listener sends to its callback, or to one of the fallbacks."""

    listener: Listener
    callback: Callback

    @property
    def by_fallback(self) -> bool:
        return self.callback.pk != self.listener.callback_id

    @property
    def have_ended(self) -> bool:
        return not self.callback.enabled if self.by_fallback else self.listener.has_expired

    @property
    def shown_address(self) -> str:
        """Enough for its owner to know it, and too little for whoever a mail was forwarded to."""
        name, _, domain = str(self.callback.config["email"]).partition("@")
        return f"{name[:1]}…@{domain}"


def mails_of(listener_id: int, code: str) -> Mails | None:
    """What a link is about; None for one that we have not made, or whose address or callback has changed since."""
    listener = Listener.objects.select_related("callback", "account").filter(pk=listener_id).first()
    if listener is None:
        return None
    for callback in _with_fallbacks(listener.callback):
        if callback.mode == Callback.Mode.EMAIL and unsubscribe_code_fits(
            code, listener_id, callback.config["email"]
        ):
            return Mails(listener, callback)
    return None


def _with_fallbacks(callback: Callback | None) -> Iterator[Callback]:
    passed: set[int] = set()
    while callback is not None and callback.pk not in passed:
        passed.add(callback.pk)
        yield callback
        callback = callback.fallback_callback


@transaction.atomic
def end_mails(mails: Mails) -> None:
    """The listener fires no more, nor is tried again what it has fired. Whoever manages it can prolong it again.

    Where the mailbox only stands in for others they go on, so it is switched off instead, and its owner is told.
    """
    if mails.by_fallback:
        _switch_off(mails.callback.pk)
        return
    listener, now = mails.listener, timezone.now()
    if not listener.has_expired:
        listener.expires_at = now
        listener.save(update_fields=["expires_at"])
    # A worker that is in the middle of a round leaves alone what is not pending any more when it writes that down.
    pending = Delivery.objects.filter(callback=listener.callback_id, state=Delivery.State.PENDING)
    pending.filter(listener_id=listener.pk).update(
        state=Delivery.State.SUPPRESSED, outcome=ENDED, finished_at=now
    )


def _switch_off(pk: int) -> None:
    now = timezone.now()
    lane, _ = CallbackLane.objects.select_for_update().get_or_create(callback_id=pk)
    callback = Callback.objects.select_related("account", "extension", "profile").get(pk=pk)
    if callback.enabled:
        deregister(callback, lane, NOT_WANTED, "", now)
        lane.wake_at = now
        lane.save()
