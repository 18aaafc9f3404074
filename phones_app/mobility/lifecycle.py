"""What happens to sessions when people, phones or policies change in the middle of them (mobility spec §5.3)."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import Changed, current_author
from contacts_app.core.lists.among import among
from contacts_app.core.lists.statement import Slot, Statement
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from contacts_app.people.models import User
from phones_app.inventory.models import Phone, ServiceSession
from phones_app.mobility.logout import abandon, log_out_all
from phones_app.mobility.models import MobilityPolicy, MobilitySession, PersonMobility, Why
from phones_app.mobility.timers import MOBILITY

Changes = Mapping[str, Any]
LOGGED_IN = Refusal(
    "logged-in",
    "Someone is logged in on this phone. Its profile is theirs until they log out: change its base profile instead.",
)
# What of people and phones decides of their sessions.
OF_PERSON = ("account", "is_active", "pin_hash")
OF_PHONE = ("mac", "account", "base_profile", "location", "model", "is_active")


@cache
def _log_ins() -> Statement:
    rows = MobilitySession.objects.order_by().filter(ended_at=None)
    return Statement(rows.filter(phone=Slot(MobilitySession._meta.get_field("phone"))()).values_list("pk")[:1])


def person_changed(instance: User, changes: Changes) -> None:
    """Called when one of `OF_PERSON` was changed."""
    if "account" in changes or ("is_active" in changes and not instance.is_active):
        _log_out(instance, Why.PERSON_GONE)
    elif "pin_hash" in changes and not instance.has_pin:
        _log_out(instance, Why.FORBIDDEN)


def person_deleted(instance: User, **_: object) -> None:
    """Called before a person is deleted, and the profiles that they own with them."""
    _log_out(instance, Why.PERSON_GONE)


def mobility_changed(instance: PersonMobility, change: str, **_: object) -> None:
    """Called with each recorded change of what a person may do on phones, in its transaction."""
    if change != "-" and not instance.is_allowed:
        _log_out(instance.user, Why.FORBIDDEN)


def phones_changed(changed: Changed) -> None:
    """Called when one of `OF_PHONE` was changed, with all phones that one statement changed."""
    others = []
    for phone, changes in changed:
        if {"mac", "account"} & changes.keys():
            _phone_gone(phone)
        else:
            others.append(phone.pk)
    # Of one phone it is asked with each change, and mostly nobody is logged in there.
    if len(others) > 1 or (others and _log_ins().row(others[0])):
        _look_again(phone__in=among(others))


def object_to_assignment(phones: Collection[int]) -> dict[int, Refusal]:
    """Those of the phones on which someone is logged in: a log-out brings back the base profile, whatever stood there."""
    if not phones:
        return {}
    there = MobilitySession.objects.filter(ended_at=None, phone__in=among(phones))
    return dict.fromkeys(there.values_list("phone", flat=True), LOGGED_IN)


def phone_deleted(instance: Phone, **_: object) -> None:
    """Called before a phone is deleted."""
    _phone_gone(instance)


def policy_changed(instance: MobilityPolicy, **_: object) -> None:
    """Called with each recorded change of a policy, in its transaction: daily log-out times are read anew."""
    _look_again(account=instance.account_id)


def _log_out(person: User, why: Why) -> None:
    # Of the service menu: opened with this PIN, for people of this account.
    if why == Why.PERSON_GONE or not person.has_pin:
        ServiceSession.objects.filter(user=person.pk).delete()
    if MobilitySession.objects.filter(user=person.pk, ended_at=None).exists():
        log_out_all(person, why=why, actor=_actor())


def _phone_gone(phone: Phone) -> None:
    if MobilitySession.objects.filter(phone=phone.pk, ended_at=None).exists():
        abandon(phone, why=Why.PHONE_GONE, actor=_actor())


def _look_again(**whose: Any) -> None:
    rows = MobilitySession.objects.filter(ended_at=None, **whose)
    if rows.update(next_attempt_at=clock.now()):
        nudge_after_commit(MOBILITY)


def _actor() -> Actor:
    """Who makes the change, as who ends the sessions."""
    author = current_author()
    return Actor(author.label, author.channel)
