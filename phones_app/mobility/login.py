"""Logging people in on phones: for REST, commands and lists of many, and with a PIN on the phone's screen
(mobility spec §5).

A log-in writes the session and its deployment in one transaction, with the log-outs that it brings about on other phones.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.mobility.codes import EmCode
from phones_app.mobility.models import PRESENT, MobilitySession, SecondPhone, SessionState, Why
from phones_app.mobility.policy import limited, longest_login, mobility_of, policy_of, profiles_for
from phones_app.mobility.switch import NO_BASE, EmRefusal, back_to_base, lock_phones, store, switch_to
from profiles_app.phone.models import PhoneProfile

# A session under way is looked at so often, should nothing have told of its deployment.
LOOK = timedelta(seconds=30)
IS_OVER = "The log-in would be over before it begins."


def log_in(
    phone: Phone,
    user: User,
    *,
    profile: PhoneProfile | None = None,
    until: datetime | None = None,
    actor: Actor,
    address: str = "",
    answer_first: bool = False,
) -> MobilitySession:
    """Bring a device profile of the person to the phone. Raises EmRefusal, or Refusal where the file or the time
    does not fit.

    Without `profile` there has to be one alone that fits. `until` is shortened to what policy and person allow.
    Who is logged in there with this profile already stays so, with the new `until`. `answer_first`: the phone asks.
    """
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=user.pk).first()
        if person is None or not person.is_active:
            raise EmRefusal(EmCode.NO_PERSON, "no-person", "The person does not exist, or is not active.")
        elsewhere = _present(user=person).exclude(phone=phone.pk)
        phones = lock_phones([phone.pk, *elsewhere.values_list("phone", flat=True)])
        here = phones.get(phone.pk)
        if here is None:
            raise EmRefusal(EmCode.NO_DEVICE, "no-phone", "The phone was deleted meanwhile.")
        profile = chosen_profile(here, person, profile)
        policy, settings = policy_of(here), mobility_of(person)
        now = clock.now()
        if until is not None and until <= now:
            raise Refusal("until-past", IS_OVER)
        until = limited(until, longest_login(policy, settings), now)
        same = _present(phone=here, user=person, profile=profile).first()
        if same is not None and same.state != SessionState.AT_RESTART:
            same.until, same.next_attempt_at = until, now
            same.save(update_fields=["until", "next_attempt_at"])
            return same
        others = _others(policy.second_phone, elsewhere)
        why = f"{person.get_full_name()} logged in"
        login = switch_to(here, profile, Deployment.Kind.LOG_IN, actor, f"{why} on this phone")
        logouts = _logouts([other for other in others if other.phone_id in phones], phones, actor, why)
        store([login, *(row for row in logouts.values() if row)], answer_first=answer_first)
        take_away(_open(phone=here), login, Why.ANOTHER, actor)
        for other, logout in logouts.items():
            take_away(_open(pk=other.pk), logout, Why.ELSEWHERE, actor)
        return MobilitySession.objects.create(
            account_id=here.account_id,
            phone=here,
            mac=here.mac,
            user=person,
            person_name=person.get_full_name()[:320],
            profile=profile,
            profile_name=profile.name,
            until=until,
            note=_without_place(login),
            address=address or here.phone_ip or "",
            requested_by=actor.label,
            channel=actor.channel,
            login=login,
            next_attempt_at=now + LOOK,
        )


def _without_place(login: Deployment) -> str:
    """What of the person's lines and keys this phone has no place for, where its file is made from data."""
    return " ".join(login.revision.provenance.get("remarks", ()))[:255] if login.revision else ""


def profile_named(name: str, user: User, phone: Phone) -> PhoneProfile | None:
    """Of the person's device profiles that fit the phone the one of this name or UUID; None where none is named.

    Raises EmRefusal.
    """
    if not name:
        return None
    found = [profile for profile in profiles_for(user, phone) if name in (profile.name, str(profile.uuid))]
    if len(found) != 1:
        words = (
            "Several device profiles of the person have" if found else "No device profile of the person that fits has"
        )
        raise EmRefusal(EmCode.NO_PROFILE, "no-profile", f"{words} the name {name}.")
    return found[0]


def chosen_profile(phone: Phone, person: User, profile: PhoneProfile | None) -> PhoneProfile:
    """The profile that is to come to the phone, if this person may log in there at all."""
    if phone.base_profile_id is None:
        raise EmRefusal(EmCode.DEVICE_DISABLED, "no-base-profile", f"{NO_BASE} No one can log in on it.")
    if person.account_id != phone.account_id or not mobility_of(person).is_allowed:
        raise EmRefusal(EmCode.POLICY, "not-allowed", "The person may not log in on this phone.")
    fitting = profiles_for(person, phone)
    if profile is not None and profile not in fitting:
        raise EmRefusal(EmCode.NO_PROFILE, "no-profile", "This is no device profile of the person for this phone.")
    if not fitting:
        raise EmRefusal(EmCode.NO_PROFILE, "no-profile", "The person has no device profile that fits this phone.")
    if profile is None and len(fitting) > 1:
        names = ", ".join(each.name for each in fitting)
        raise EmRefusal(EmCode.NO_PROFILE, "several-profiles", f"Which device profile? {names}.")
    # The one that was read with its revision.
    return next(each for each in fitting if profile in (None, each))


def _others(second_phone: str, elsewhere: QuerySet[MobilitySession]) -> list[MobilitySession]:
    """The person's sessions that this log-in ends. Raises EmRefusal."""
    if second_phone == SecondPhone.MANY:
        return []
    found = list(elsewhere.order_by("phone"))
    if found and second_phone == SecondPhone.REFUSE:
        macs = ", ".join(f"SEP{other.mac}" for other in found)
        raise EmRefusal(EmCode.ELSEWHERE, "logged-in-elsewhere", f"The person is logged in on {macs}.")
    return found


def _logouts(
    sessions: list[MobilitySession], phones: dict[int, Phone], actor: Actor, why: str
) -> dict[MobilitySession, Deployment | None]:
    """A deployment for each; None where the base profile cannot be deployed now, which is tried again (`timers`)."""
    found: dict[MobilitySession, Deployment | None] = {}
    for session in sessions:
        try:
            found[session] = back_to_base(phones[session.phone_id or 0], actor, f"{why} on another phone")
        except Refusal:
            found[session] = None
    return found


def take_away(
    rows: QuerySet[MobilitySession], logout: Deployment | None, why: Why, actor: Actor, note: str = ""
) -> int:
    """These sessions are being ended by this deployment; why stays with those that were being ended already."""
    now = clock.now()
    under_way: dict[str, Any] = {"logout": logout, "note": note[:255], "next_attempt_at": now + LOOK if logout else now}
    again = rows.filter(state=SessionState.LOGGING_OUT).update(**under_way)
    present = rows.filter(state__in=PRESENT)
    return again + present.update(state=SessionState.LOGGING_OUT, why=why, ended_by=actor.label, tries=0, **under_way)


def _present(**whose: Any) -> QuerySet[MobilitySession]:
    return MobilitySession.objects.filter(state__in=PRESENT, **whose)


def _open(**whose: Any) -> QuerySet[MobilitySession]:
    return MobilitySession.objects.filter(ended_at=None, **whose)
