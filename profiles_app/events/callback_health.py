"""How callbacks fare: failing ones are reported, switched off, and counted by the hour (events spec §5.2, §7.1).

Reports go to the owner of the callback and to the contacts of the account who have asked for them. The owner of a mailbox
can end the mails of an email callback without a login (events spec §7).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Avg, Count, Q
from django.db.models.functions import TruncHour
from django.urls import reverse
from django.utils import timezone

from contacts_app.contacts.mail import queue_mail
from contacts_app.contacts.models.contact import EventClass
from contacts_app.contacts.notification import News, notify
from profiles_app.events.envelope import unsubscribe_code_fits
from profiles_app.events.models.outbox import CallbackQueue, Delivery, DeliveryAttempt
from profiles_app.events.models.setup import Callback, Listener
from profiles_app.events.outbox import emit

MAIL_PAUSE = timedelta(hours=1)
# The owner of a callback is told at the support address of its event profile; contacts are if they ask for it.
CALLBACK_FAILING = EventClass(
    "callback_failing",
    "Callbacks that take no events, and do again",
    "Callbacks",
    Callback,
    "failing",
    "working again",
    told=False,
)
CALLBACK_DEREGISTERED = EventClass(
    "callback_deregistered", "Callbacks that were switched off", "Callbacks", Callback, "switched off", told=False
)
# With all that a mail says of a callback.
DESCRIBED = Callback.objects.select_related("account", "extension", "profile")


def tell_of_failure(callback: Callback, queue: CallbackQueue, reason: str, now: datetime) -> None:
    """Tell the owner that deliveries fail, unless the last such mail is not an hour old. The caller saves the queue."""
    if queue.told_at and now - queue.told_at < MAIL_PAUSE:
        return
    queue.told_at, queue.told_of_failure = now, True
    _tell(callback, CALLBACK_FAILING, "does not take events", queue.failing_since, reason)


def tell_of_recovery(callback: Callback, queue: CallbackQueue) -> None:
    """Tell the owner that deliveries succeed again, after a mail that they fail. The caller saves the queue."""
    queue.told_of_failure = False
    _tell(callback, CALLBACK_FAILING, "takes events again", queue.told_at, over=True)


def deregister(callback: Callback, queue: CallbackQueue, why: str, reason: str, now: datetime) -> None:
    """Switch the callback off, within the caller's transaction, who saves the queue.

    What is pending goes to the fallbacks, or ends. The queue begins anew, for when the callback is enabled again.
    """
    since = queue.failing_since
    callback.enabled, callback.disabled_reason, callback.disabled_at = False, why, now
    callback.save(update_fields=["enabled", "disabled_reason", "disabled_at"])
    queue.exhausted_in_row = queue.silent_in_row = 0
    queue.failing_since = queue.resting_until = None
    queue.told_at, queue.told_of_failure = now, True
    words = f"{why} The last attempt: {reason}" if reason and reason not in why else why
    _tell(callback, CALLBACK_DEREGISTERED, "was switched off", since, words)
    tell_listeners(callback, "deactivated-listener-callback", reason=why)


def begin_anew(callback: Callback) -> None:
    """Hold nothing against a callback that was enabled or whose URL has just answered, in the caller's transaction.

    Called before the callback itself is locked: recording a round locks the queue first too.
    """
    CallbackQueue.objects.filter(pk=callback.pk).update(
        failing_since=None, resting_until=None, exhausted_in_row=0, silent_in_row=0
    )


def tell_listeners(callback: Callback, tag: str, **details: object) -> None:
    """Write an event about a callback."""
    emit(
        account=callback.account,
        extension=callback.extension,
        tags=["listener-callback", tag],
        data_type="listener-callback",
        data={"id": callback.pk, "name": callback.name, "mode": callback.mode, **details},
    )


def deregister_failing(longest: timedelta) -> int:
    """Switch off the callbacks without success for this long, whether or not something is due; how many."""
    now = timezone.now()
    failing = CallbackQueue.objects.filter(failing_since__lte=now - longest, lease_owner="")
    count = 0
    for pk in list(failing.values_list("pk", flat=True)):
        with transaction.atomic():
            queue = CallbackQueue.objects.select_for_update().filter(pk=pk, lease_owner="").first()
            if queue is None or queue.failing_since is None or queue.failing_since > now - longest:
                continue
            callback = DESCRIBED.get(pk=pk)
            if callback.enabled:
                deregister(callback, queue, no_success_since(queue.failing_since), "", now)
                queue.wake_at = now
                count += 1
            else:
                queue.failing_since = None
            queue.save()
    return count


def no_success_since(moment: datetime) -> str:
    return f"No delivery has succeeded since {moment:%Y-%m-%d %H:%M} UTC."


def owner_address(callback: Callback) -> str:
    """The support address of the callback's profile, else the account's (events spec §7.1)."""
    profile = callback.profile
    return (profile and profile.support_email) or callback.account.email


def _tell(
    callback: Callback,
    event_class: EventClass,
    what: str,
    since: datetime | None,
    reason: str = "",
    *,
    over: bool = False,
) -> None:
    """A mail to the owner, and a notification of the account's contacts."""
    path = reverse("admin:profiles_app_callback_change", args=[callback.pk])
    template = "callback_recovered" if over else event_class.name
    queue_mail(
        to=[owner_address(callback)],
        template=f"profiles_app/events/mail/{template}",
        context={
            "callback": str(callback),
            "profile": callback.profile.name if callback.profile else "",
            "path": path,
            "since": since,
            "reason": reason,
        },
        account=callback.account,
    )
    title = f"{callback} {what}"
    notify(News(callback.account, event_class, title, reason, path, str(callback.pk), over))


PERIOD = timedelta(hours=1)
PERIODS = 24


@dataclass(frozen=True)
class Period:
    """An hour from `start` on. Time-outs are counted apart from other failures."""

    start: datetime
    total: int = 0
    success: int = 0
    failed: int = 0
    timeout: int = 0
    average: float | None = None

    @property
    def end(self) -> datetime:
        return self.start + PERIOD

    @property
    def avg_duration_ms(self) -> int | None:
        return None if self.average is None else round(self.average)


def health_of(callback: Callback) -> list[Period]:
    """The periods, the present one first, in one query whatever the number of attempts."""
    present = timezone.now().replace(minute=0, second=0, microsecond=0)
    starts = [present - PERIOD * number for number in range(PERIODS)]
    timed_out = Q(error_code="timeout")
    counted = (
        DeliveryAttempt.objects.filter(callback=callback, started_at__gte=starts[-1])
        .order_by()
        .annotate(start=TruncHour("started_at", tzinfo=UTC))
        .values("start")
        .annotate(
            total=Count("pk"),
            success=Count("pk", filter=Q(ok=True)),
            failed=Count("pk", filter=Q(ok=False) & ~timed_out),
            timeout=Count("pk", filter=timed_out),
            average=Avg("duration_ms"),
        )
    )
    found = {row["start"]: row for row in counted}
    return [Period(**found.get(start, {"start": start})) for start in starts]


ENDED = "The mailbox's owner has ended the mails of this listener."
NOT_WANTED = "The mailbox's owner wants no mails of it."


@dataclass(frozen=True)
class CallbackMails:
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
        """Enough for its owner to know it, and too little for other readers of a forwarded mail."""
        name, _, domain = str(self.callback.config["email"]).partition("@")
        return f"{name[:1]}…@{domain}"


def mails_of(listener_id: int, code: str) -> CallbackMails | None:
    """What a link is about; None for one that we have not made, or whose address or callback has changed since."""
    listener = Listener.objects.select_related("callback", "account").filter(pk=listener_id).first()
    if listener is None:
        return None
    for callback in _with_fallbacks(listener.callback):
        if callback.mode == Callback.Mode.EMAIL and unsubscribe_code_fits(code, listener_id, callback.config["email"]):
            return CallbackMails(listener, callback)
    return None


def _with_fallbacks(callback: Callback | None) -> Iterator[Callback]:
    passed: set[int] = set()
    while callback is not None and callback.pk not in passed:
        passed.add(callback.pk)
        yield callback
        callback = callback.fallback_callback


@transaction.atomic
def end_mails(mails: CallbackMails) -> None:
    """The listener expires, and its pending deliveries end. Its expiry can be set again.

    A callback that is a fallback of the listener is switched off instead, and its owner gets a report.
    """
    listener, now = mails.listener, timezone.now()
    if mails.by_fallback:
        queue, _ = CallbackQueue.objects.select_for_update().get_or_create(callback_id=mails.callback.pk)
        callback = DESCRIBED.get(pk=mails.callback.pk)
        if callback.enabled:
            deregister(callback, queue, NOT_WANTED, "", now)
            queue.wake_at = now
            queue.save()
        return
    if not listener.has_expired:
        listener.expires_at = now
        listener.save(update_fields=["expires_at"])
    # A worker that is in the middle of a round leaves alone what is not pending any more when it writes that down.
    pending = Delivery.objects.filter(callback=listener.callback_id, state=Delivery.State.PENDING)
    pending.filter(listener_id=listener.pk).update(state=Delivery.State.SUPPRESSED, outcome=ENDED, finished_at=now)
