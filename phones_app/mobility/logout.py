"""Logging people out: whatever the reason, the phone's base profile comes back (mobility spec §5.3)."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.mobility import events
from phones_app.mobility.login import take_away
from phones_app.mobility.models import PRESENT, MobilitySession, SessionState, Why
from phones_app.mobility.switch import back_to_base, lock_phones, store

# What a session's events say is read with it.
TOLD_WITH = ("account", "phone", "user", "profile")


def sessions(actor: Actor) -> "QuerySet[MobilitySession]":
    """All that the actor sees, the newest first, those that have ended too."""
    return actor.sees(MobilitySession.objects.all())


def session_on(phone: Phone) -> MobilitySession | None:
    """Who is logged in on this phone, or about to be."""
    rows = MobilitySession.objects.filter(phone=phone, state__in=PRESENT).select_related(*TOLD_WITH)
    return rows.first()


def log_out(session: MobilitySession, *, why: Why, actor: Actor, answer_first: bool = False) -> MobilitySession:
    """End one session. None that is present is no error; what stands in the way is its `note`, and is tried again."""
    log_out_many([session], why=why, actor=actor, answer_first=answer_first)
    return MobilitySession.objects.select_related(*TOLD_WITH).get(pk=session.pk)


@transaction.atomic
def log_out_all(user: User, *, why: Why, actor: Actor) -> int:
    """End all sessions of a person; how many."""
    # As a log-in does, so that none begins meanwhile.
    list(User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=user.pk).values_list("pk"))
    return log_out_many(MobilitySession.objects.filter(user=user, state__in=PRESENT), why=why, actor=actor)


@transaction.atomic
def log_out_many(
    wanted: Iterable[MobilitySession], *, why: Why, actor: Actor, answer_first: bool = False, again: bool = False
) -> int:
    """End those of the sessions that are present, in one transaction; how many.

    `again`: also those of which a log-out has not reached the phone.
    """
    found = {session.pk: session.phone_id for session in wanted}
    phones = lock_phones(key for key in found.values() if key is not None)
    states = (*PRESENT, SessionState.LOGGING_OUT) if again else PRESENT
    rows = MobilitySession.objects.filter(pk__in=found, state__in=states).select_related(*TOLD_WITH).order_by("pk")
    logouts: dict[int, Deployment] = {}
    refused: dict[int, str] = {}
    gone, left = [], []
    for session in rows:
        phone = phones.get(session.phone_id or 0)
        if phone is None or phone.account_id != session.account_id or phone.mac != session.mac:
            gone.append(session)
            continue
        left.append(session)
        try:
            # Several people that leave one phone leave it to one base profile.
            if phone.pk not in logouts:
                logouts[phone.pk] = back_to_base(phone, actor, f"{session.person_name}: {why.label}")
        except Refusal as refusal:
            refused[session.pk] = refusal.message
    store(list(logouts.values()), answer_first=answer_first)
    for session in left:
        row = MobilitySession.objects.filter(pk=session.pk)
        take_away(row, logouts.get(session.phone_id or 0), why, actor, refused.get(session.pk, ""))
    _abandon(gone, why, actor)
    return len(left) + len(gone)


@transaction.atomic
def abandon(phone: Phone, *, why: Why, actor: Actor) -> int:
    """The phone is deleted, replaced or another account's: its sessions end as they are, and nothing comes back."""
    lock_phones([phone.pk])
    rows = MobilitySession.objects.filter(phone=phone, ended_at=None).select_related(*TOLD_WITH)
    return _abandon(list(rows), why, actor)


def _abandon(rows: list[MobilitySession], why: Why, actor: Actor) -> int:
    for session in rows:
        session.state, session.ended_at, session.next_attempt_at = SessionState.ABANDONED, clock.now(), None
        session.why = session.why or why
        session.ended_by = session.ended_by or actor.label
        session.save(update_fields=["state", "ended_at", "next_attempt_at", "why", "ended_by"])
    events.tell(rows, events.LOGOUT)
    return len(rows)
