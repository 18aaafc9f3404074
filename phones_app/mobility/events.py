"""The events of log-ins on phones, emitted in the transaction of the change (mobility spec §5.6)."""

from collections.abc import Iterable

from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.mobility.models import MobilitySession, PinFailures
from profiles_app.events.outbox import EventDraft, emit_many
from profiles_app.phone.sep.catalogue import colons

LOGIN, LOGOUT, FAILED, LOCKED = "em-login", "em-logout", "em-failed", "em-locked"


def tell(sessions: Iterable[MobilitySession], tag: str) -> None:
    """What happened to these sessions, whose accounts, phones and people were read with them."""
    emit_many([_draft(session, tag) for session in sessions])


def _draft(session: MobilitySession, tag: str) -> EventDraft:
    phone = session.phone
    return EventDraft(
        session.account,
        ["phone", tag],
        "phone",
        {
            "session": session.uuid,
            "mac": colons(session.mac),
            "name": phone.name if phone else "",
            "user": session.user.uuid if session.user else None,
            "person": session.person_name,
            "profile": session.profile.uuid if session.profile else None,
            "profile_name": session.profile_name,
            "state": session.state,
            "since": session.since,
            "until": session.until,
            "why": session.why,
            "error": session.note,
        },
        phone.uuid if phone else session.uuid,
    )


def tell_lock(row: PinFailures, user: User | None, mac: str) -> None:
    """So many PINs were wrong that no more are tried for a while, of a person or on a phone."""
    phone = Phone.objects.select_related("account").filter(mac=mac).first()
    account = user.account if user is not None else phone.account if phone is not None else None
    if account is None:
        return
    data = {"mac": colons(mac), "name": phone.name if phone else "", "failures": row.count}
    data |= {"user": user.uuid if user else None, "person": user.get_full_name() if user else ""}
    about = phone.uuid if phone else None
    emit_many([EventDraft(account, ["phone", LOCKED], "phone", data, about)])
