"""A session's state, which follows its deployments (mobility spec §5.5).

`follow` hears of changes once they are committed, so that no lock is held beside those of a deployment. What it misses,
as a process that was killed in between, `timers` finds: `settle` reads all it needs from the rows.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet

from contacts_app.core.work import clock
from phones_app.deployment.models import Deployment, State
from phones_app.mobility import events
from phones_app.mobility.logout import TOLD_WITH
from phones_app.mobility.models import PRESENT, MobilitySession, SessionState, Why

# How a deployment stands, as a session needs it.
OPEN, TAKEN, REJECTED, IN_PLACE, MISSED = "open", "taken", "rejected", "in place", "missed"
# The restart waited for the end of a call for as long as it may; a log-out begins anew.
IN_CALL = "in-call"
# What becomes of a session: of one that is present by its log-in, of one that is ending by its log-out. `None` stays.
PRESENT_BY_LOGIN = {
    OPEN: None,
    TAKEN: SessionState.LOGGED_IN,
    IN_PLACE: SessionState.AT_RESTART,
    REJECTED: SessionState.LOGGING_OUT,
    MISSED: SessionState.FAILED,
}
ENDING_BY_LOGOUT = {
    OPEN: None,
    TAKEN: SessionState.LOGGED_OUT,
    IN_PLACE: SessionState.OUT_AT_RESTART,
    REJECTED: SessionState.OUT_AT_RESTART,
    MISSED: None,
}
ENDS = (SessionState.LOGGED_OUT, SessionState.OUT_AT_RESTART, SessionState.FAILED)
TOLD = {
    SessionState.LOGGED_IN: events.LOGIN,
    SessionState.LOGGED_OUT: events.LOGOUT,
    SessionState.OUT_AT_RESTART: events.LOGOUT,
    SessionState.FAILED: events.FAILED,
}
# These may still change: evidence comes when it comes.
FOLLOWED = Q(ended_at=None) | Q(state=SessionState.OUT_AT_RESTART)


def followed() -> "QuerySet[MobilitySession]":
    return MobilitySession.objects.filter(FOLLOWED)


def follow(deployments: Sequence[int]) -> None:
    """Called with the keys of deployments whose states have changed, once that can be seen, while any is followed."""
    phones = Deployment.objects.filter(pk__in=deployments).values("phone")
    rows = followed().filter(phone__in=phones)
    for session in rows.select_related("login", "logout", *TOLD_WITH).order_by("pk"):
        settle(session)


def settle(session: MobilitySession) -> bool:
    """Have the session say what its deployments have come to; whether anything changed."""
    before = (session.state, session.login_id, session.logout_id)
    if session.state in PRESENT:
        _follow_login(session)
    else:
        _follow_logout(session)
    changed = (session.state, session.login_id, session.logout_id) != before
    return changed and _write(session, before)


def standing(deployment: Deployment | None) -> str:
    """How this deployment stands. One that was pruned left its file in its place."""
    if deployment is None:
        return MISSED
    if deployment.state == State.CONFIRMED:
        return TAKEN
    if deployment.state == State.REJECTED:
        return REJECTED
    if deployment.is_open:
        return OPEN
    return IN_PLACE if deployment.uploaded_at else MISSED


def _follow_login(session: MobilitySession) -> None:
    login, newest = session.login, _newest(session)
    if newest is not None and _came_after(newest, login):
        if newest.profile_id != session.profile_id or session.profile_id is None:
            session.state, session.logout, session.why = SessionState.LOGGING_OUT, newest, Why.DEPLOYED
            session.ended_by = newest.requested_by
            _follow_logout(session)
            return
        # The person's settings were changed, and their file was deployed anew.
        session.login = login = newest
    if login is None:
        return  # It was pruned since: the person is where the session says.
    stands = standing(login)
    if stands == MISSED and _open_ones(session).exists():
        return  # What took its place decides.
    to = PRESENT_BY_LOGIN[stands]
    if to == SessionState.AT_RESTART and session.state == SessionState.LOGGED_IN:
        return  # With the file of before, until the phone takes the new one.
    if to is not None:
        session.state, session.note = to, "" if stands == TAKEN else login.error[:255]
    if to == SessionState.FAILED:
        session.why = Why.FAILED
    if to == SessionState.LOGGING_OUT:
        session.why, session.logout = Why.REJECTED, None


def _follow_logout(session: MobilitySession) -> None:
    logout, newest = session.logout, _newest(session)
    if newest is not None and _came_after(newest, logout) and newest.profile_id != session.profile_id:
        session.logout = logout = newest
    stands = standing(logout)
    if logout is not None and logout.error_code == IN_CALL:
        stands = MISSED
    if stands == MISSED and session.state == SessionState.LOGGING_OUT:
        # One that took its place, as the log-in of the next person.
        instead = _open_ones(session).exclude(profile=session.profile_id).order_by("created_at").last()
        if instead is not None:
            session.logout = instead
            return
    to = ENDING_BY_LOGOUT[stands]
    if to is not None:
        session.state, session.note = to, "" if stands == TAKEN or logout is None else logout.error[:255]


def _newest(session: MobilitySession) -> Deployment | None:
    """What was uploaded last for the phone of the session, since it began."""
    uploads = Deployment.objects.filter(phone=session.phone_id, created_at__gte=session.since)
    # Files that were put back are those of deployments before.
    uploads = uploads.exclude(kind=Deployment.Kind.UPLOAD)
    return uploads.filter(uploaded_at__isnull=False).order_by("uploaded_at", "pk").last()


def _open_ones(session: MobilitySession) -> "QuerySet[Deployment]":
    rows = Deployment.objects.filter(phone=session.phone_id, finished_at=None, created_at__gte=session.since)
    return rows.exclude(kind=Deployment.Kind.RESTART)


def _came_after(newest: Deployment, known: Deployment | None) -> bool:
    if known is None or newest.uploaded_at is None:
        return False
    return newest.pk != known.pk and newest.uploaded_at > (known.uploaded_at or known.created_at)


@transaction.atomic
def _write(session: MobilitySession, before: tuple[str, int | None, int | None]) -> bool:
    """Store it unless somebody else has changed it since it was read, with its event."""
    state, login, logout = before
    if (session.login_id, session.logout_id) != (login, logout):
        # As everybody else: deployments before sessions. The database locks what is pointed to, at the commit.
        keys = [key for key in (session.login_id, session.logout_id) if key is not None]
        list(Deployment.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk").values_list("pk"))
    if session.state in ENDS:
        session.ended_at, session.next_attempt_at = session.ended_at or clock.now(), None
    elif session.state == SessionState.LOGGING_OUT and session.logout_id is None:
        session.next_attempt_at = clock.now()
    rows = MobilitySession.objects.filter(pk=session.pk, state=state, login=login, logout=logout)
    names = ("state", "login_id", "logout_id", "note", "why", "ended_by", "ended_at", "next_attempt_at")
    if not rows.update(**{name: getattr(session, name) for name in names}):
        return False
    tag = TOLD.get(SessionState(session.state))
    is_news = session.state != state and state != SessionState.OUT_AT_RESTART
    if tag and is_news:
        events.tell([session], tag)
    return True
