"""Whether a phone that somebody is logged in on is used, as far as can be seen (mobility spec §5.3).

Two things are seen: a call, at a status check, and what is opened on the phone's screen here. While a policy logs out
after a time of no use, the phone is checked every five minutes. Of a phone that does not say whether it is in a call
nothing is known, and it counts as used: nobody is logged out because a page is switched off.
"""

from datetime import datetime, timedelta

from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.inventory.models import Phone, Presence
from phones_app.inventory.status_check import STATUS_CHECKS
from phones_app.mobility.models import MobilityPolicy, MobilitySession, SessionState

LOOK_EVERY = timedelta(minutes=5)
# A status check may be late, or miss a phone that starts.
KNOWN_FOR = 2 * LOOK_EVERY
# Uses that come so close together are noted once.
NOTED_ONCE_IN = timedelta(minutes=1)


def note_use(session: MobilitySession) -> None:
    """Something was opened on the phone's screen by who is logged in there."""
    now = clock.now()
    if session.used_at is None or session.used_at < now - NOTED_ONCE_IN:
        _used(session, now)


def look_for_use(session: MobilitySession, policy: MobilityPolicy, now: datetime) -> None:
    """Note what the last status check has seen, and have the phone checked again until the next look."""
    phone = session.phone
    if policy.idle_minutes is None or phone is None or session.state != SessionState.LOGGED_IN:
        return
    is_known = phone.presence == Presence.REACHABLE and phone.last_seen_at and phone.last_seen_at > now - KNOWN_FOR
    if session.used_at is None or not is_known or phone.in_call is not False:
        _used(session, now)
    if Phone.objects.filter(pk=phone.pk, next_check_at__gt=now).update(next_check_at=now):
        nudge_after_commit(STATUS_CHECKS)


def is_unused(session: MobilitySession, policy: MobilityPolicy, now: datetime) -> bool:
    """Whether it was not used for as long as the policy allows."""
    if policy.idle_minutes is None or session.used_at is None or session.state != SessionState.LOGGED_IN:
        return False
    return session.used_at + timedelta(minutes=policy.idle_minutes) <= now


def _used(session: MobilitySession, now: datetime) -> None:
    session.used_at = now
    MobilitySession.objects.filter(pk=session.pk).update(used_at=now)
