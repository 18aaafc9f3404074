"""Callbacks in trouble: their owners are told, and those that fail for too long are switched off (events spec §7.1).

Contacts of the account who have asked for it are told as well.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from contacts_app.models import EventClass
from contacts_app.services.mail import queue_mail
from contacts_app.services.notification import notify
from profiles_app.models import Callback, CallbackLane
from profiles_app.services.event import emit

MAIL_PAUSE = timedelta(hours=1)


def tell_of_trouble(callback: Callback, lane: CallbackLane, reason: str, now: datetime) -> None:
    """Tell the owner that deliveries fail, unless the last such mail is not an hour old. The caller saves the lane."""
    if lane.told_at and now - lane.told_at < MAIL_PAUSE:
        return
    lane.told_at, lane.told_of_trouble = now, True
    _mail("callback_failing", callback, since=lane.failing_since, reason=reason)
    _notify(EventClass.CALLBACK_FAILING, callback, "does not take events", reason)


def tell_of_recovery(callback: Callback, lane: CallbackLane) -> None:
    """Tell the owner who was told of trouble that it is over. The caller saves the lane."""
    lane.told_of_trouble = False
    _mail("callback_recovered", callback, since=lane.told_at)
    _notify(EventClass.CALLBACK_FAILING, callback, "takes events again", over=True)


def deregister(callback: Callback, lane: CallbackLane, why: str, reason: str, now: datetime) -> None:
    """Switch the callback off, within the caller's transaction, who saves the lane.

    What is pending goes to the fallbacks, or ends. The lane begins anew, for when somebody enables the callback again.
    """
    since = lane.failing_since
    callback.enabled, callback.disabled_reason, callback.disabled_at = False, why, now
    callback.save(update_fields=["enabled", "disabled_reason", "disabled_at"])
    lane.exhausted_in_row = lane.silent_in_row = 0
    lane.failing_since = lane.resting_until = None
    lane.told_at, lane.told_of_trouble = now, True
    words = f"{why} The last attempt: {reason}" if reason and reason not in why else why
    _mail("callback_deregistered", callback, since=since, reason=words)
    _notify(EventClass.CALLBACK_DEREGISTERED, callback, "was switched off", words)
    tell_listeners(callback, "deactivated-listener-callback", reason=why)


def begin_anew(callback: Callback) -> None:
    """Hold nothing against a callback that was enabled or whose URL has just answered, in the caller's transaction.

    Called before the callback itself is locked: whoever writes down a round locks the lane first.
    """
    CallbackLane.objects.filter(pk=callback.pk).update(
        failing_since=None, resting_until=None, exhausted_in_row=0, silent_in_row=0
    )


def tell_listeners(callback: Callback, tag: str, **details: Any) -> None:
    """Write the event that something became of a callback."""
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
    failing = CallbackLane.objects.filter(failing_since__lte=now - longest, lease_owner="")
    count = 0
    for pk in list(failing.values_list("pk", flat=True)):
        with transaction.atomic():
            lane = CallbackLane.objects.select_for_update().filter(pk=pk, lease_owner="").first()
            if lane is None or lane.failing_since is None or lane.failing_since > now - longest:
                continue
            callback = Callback.objects.select_related("account", "extension", "profile").get(pk=pk)
            if callback.enabled:
                deregister(callback, lane, no_success_since(lane.failing_since), "", now)
                lane.wake_at = now
                count += 1
            else:
                lane.failing_since = None
            lane.save()
    return count


def no_success_since(moment: datetime) -> str:
    return f"No delivery has succeeded since {moment:%Y-%m-%d %H:%M} UTC."


def owner_address(callback: Callback) -> str:
    """Whom to write to: the support address of the callback's profile, else the account's (events spec §7.1)."""
    profile = callback.profile
    return (profile and profile.support_email) or callback.account.email


def _mail(template: str, callback: Callback, **context: Any) -> None:
    known = {
        "callback": str(callback),
        "profile": callback.profile.name if callback.profile else "",
        "path": _page_of(callback),
    }
    queue_mail(
        to=[owner_address(callback)],
        template=f"mail/{template}",
        context=known | context,
        account=callback.account,
    )


def _notify(
    event_class: EventClass, callback: Callback, what: str, detail: str = "", *, over: bool = False
) -> None:
    notify(
        account=callback.account,
        event_class=event_class,
        title=f"{callback} {what}",
        detail=detail,
        path=_page_of(callback),
        key=str(callback.pk),
        over=over,
    )


def _page_of(callback: Callback) -> str:
    return reverse("admin:profiles_app_callback_change", args=[callback.pk])
