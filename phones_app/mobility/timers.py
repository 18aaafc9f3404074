"""Time limits of log-ins, and log-outs that have not reached their phones yet: work that survives a killed worker."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db.models import QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import no_live_lease
from phones_app.mobility import events
from phones_app.mobility.following import IN_CALL, MISSED, settle, standing
from phones_app.mobility.login import LOOK
from phones_app.mobility.logout import TOLD_WITH, log_out_many
from phones_app.mobility.models import PRESENT, MobilityPolicy, MobilitySession, SessionState, Why
from phones_app.mobility.policy import daily_logout_after, policy_of
from phones_app.mobility.use import LOOK_EVERY, is_unused, look_for_use

log = structlog.get_logger(__name__)
MOBILITY = "mobility"
ACTOR = Actor("time limit", MOBILITY)
# A session that is in order is looked at again after this time, should a policy have changed unnoticed.
SELDOM = timedelta(hours=1)
# A log-out that did not reach the phone is tried again after this time, then after twice of it, and so on.
AGAIN, AGAIN_AT_MOST = timedelta(seconds=30), timedelta(minutes=15)


class MobilityTimers(Work):
    name = queue = MOBILITY
    model = MobilitySession
    account = "account"

    @classmethod
    def due(cls) -> "QuerySet[MobilitySession]":
        return MobilitySession.objects.filter(ended_at=None, next_attempt_at__lte=clock.now()).filter(no_live_lease())

    def do(self, keys: Sequence[int]) -> None:
        for session in self.held(keys).select_related("login", "logout", *TOLD_WITH):
            settle(session)
            if session.state == SessionState.LOGGING_OUT:
                _log_out_again(session)
            elif session.state in PRESENT and (why := expired(session, clock.now())):
                log_out_many([session], why=why, actor=ACTOR)
        for session in MobilitySession.objects.filter(pk__in=keys).select_related("phone", "account"):
            self.let_go([session.pk], next_attempt_at=next_look(session, clock.now()))


def expired(session: MobilitySession, now: datetime) -> Why | None:
    """Whether the session's time is up: its own, the daily one of its place, or that without use."""
    if session.until is not None and session.until <= now:
        return Why.TIME_LIMIT
    policy = _policy(session)
    daily = daily_logout_after(policy, session.account, session.since)
    if daily is not None and daily <= now:
        return Why.DAILY
    look_for_use(session, policy, now)
    return Why.NO_USE if is_unused(session, policy, now) else None


def next_look(session: MobilitySession, now: datetime) -> datetime | None:
    """When the session is looked at again; None: it has ended."""
    if session.ended_at is not None:
        return None
    if session.state == SessionState.LOGGING_OUT:
        return now + min(AGAIN * (1 << min(session.tries, 10)), AGAIN_AT_MOST)
    if session.state not in (SessionState.LOGGED_IN, SessionState.AT_RESTART):
        return now + LOOK
    policy = _policy(session)
    daily = daily_logout_after(policy, session.account, session.since)
    again = now + (LOOK_EVERY if policy.idle_minutes else SELDOM)
    return max(now, min(time for time in (session.until, daily, again) if time))


def _policy(session: MobilitySession) -> MobilityPolicy:
    """That of the phone; one with the defaults for a phone that is gone, which nothing ends any more."""
    return policy_of(session.phone) if session.phone else MobilityPolicy(account=session.account)


def _log_out_again(session: MobilitySession) -> None:
    """Ask for the base profile once more, unless it is on its way."""
    if session.logout is not None and standing(session.logout) != MISSED and session.logout.error_code != IN_CALL:
        return
    if session.logout is not None and session.tries == 0:
        session.note = session.logout.error[:255]
        events.tell([session], events.FAILED)
    tries = session.tries + 1
    log.info("logged out once more", session=str(session.uuid), mac=session.mac, tries=tries)
    log_out_many([session], why=Why(session.why or Why.FAILED), actor=ACTOR, again=True)
    MobilitySession.objects.filter(pk=session.pk).update(tries=tries)
