"""Which profile is a phone's own: what a person or a program may assign to it.

Assigning uploads nothing. What lies on the file server and what the phone has fetched is evidence, and stands at the
phone's file and at its deployments.
"""

from collections.abc import Callable, Collection, Mapping
from copy import copy

from contacts_app.core.errors import Refusal
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, Source
from profiles_app.phone.services import check_suits

# Asked for the keys of phones, each tells to which of them no other profile can be assigned now, and why.
Objection = Callable[[Collection[int]], Mapping[int, Refusal]]
_objections: list[Objection] = []


def register_objection(objection: Objection) -> None:
    """Have `objection` asked before another profile is assigned to phones."""
    _objections.append(objection)


def objections(phones: Collection[int]) -> dict[int, Refusal]:
    """Those of the phones, by their keys, to which no other profile can be assigned now."""
    found: dict[int, Refusal] = {}
    for objection in _objections:
        found |= objection(phones)
    return found


def check_assignable(phone: Phone, profile: PhoneProfile) -> None:
    """Whether the profile can be the phone's own: it suits, and the phone can read a file of its protocol.

    An inactive phone may have one, and a profile without a file may be assigned before it gets one. The profile's owner
    and revision are read; the phone need not be stored yet. Raises Refusal.
    """
    check_suits(profile, account=phone.account_id, model=phone.model, software_type=phone.software_type)
    # A profile that is made from data makes a file for each phone.
    facts = profile.revision.facts if profile.revision and profile.source == Source.FILE else {}
    why = sep.misfit(
        *(facts.get("protocol", ""), facts.get("bootstrap", False)),
        model=phone.model,
        software_type=phone.software_type,
        file_format=facts.get("format", ""),
    )
    if why:
        raise Refusal(why.code, why.sentence)


def check_change(stored: Phone | None, values: Mapping[str, object]) -> None:
    """Whether the profile among `values`, of a form or a row, can be assigned to the phone, or to a new one.

    Raises Refusal.
    """
    phone = copy(stored) if stored else Phone()
    for name, value in values.items():
        setattr(phone, name, value)
    if stored is not None and stored.current_profile_id == phone.current_profile_id:
        return
    if stored is not None and (why := objections([stored.pk]).get(stored.pk)):
        raise why
    if phone.current_profile is not None:
        check_assignable(phone, phone.current_profile)
