"""The deployments behind log-ins and log-outs (mobility spec §5.4, §5.5), and the locks that both take.

Whoever changes sessions locks the person first, then all phones that are concerned in the order of their keys, then
deployments, then sessions; so no two wait for each other in a circle.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.rendering import revision_for
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import DEPLOYMENTS, check_compatible, check_fits, request_of
from phones_app.deployment.transitions import queued
from phones_app.inventory.models import Phone
from phones_app.inventory.services import file_server_of
from phones_app.mobility.codes import EmCode
from profiles_app.phone.models import PhoneProfile, ProfileRevision

# A phone that has asked for the switch on its screen is given its answer first: the restart cuts the exchange.
ANSWER_FIRST = timedelta(seconds=1.5)
NO_BASE = "The phone has no base profile."


class EmRefusal(Refusal):
    """A log-in or log-out that is refused; `number` is CUCM's code of the reason (Cisco phones spec §6.3)."""

    def __init__(self, number: EmCode, code: str, message: str) -> None:
        super().__init__(code, message)
        self.number = number


def file_for(phone: Phone, profile: PhoneProfile) -> ProfileRevision:
    """What this phone runs with this profile: a whole file, checked for its model. Raises Refusal.

    Where both profiles are made from data, the file is the device's with the person's part in it (mobility spec §5.4).
    """
    check_fits(phone, profile)
    revision = revision_for(phone, profile, store=True).revision
    check_compatible(phone, profile, revision)
    return revision


def lock_phones(keys: Iterable[int]) -> dict[int, Phone]:
    """Those of the phones that are still there, by their keys, locked until the end of the transaction."""
    rows = Phone.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=set(keys)).order_by("pk")
    rows = rows.select_related("account", "base_profile__user", "base_profile__revision").defer("web_password")
    return {phone.pk: phone for phone in rows}


def switch_to(phone: Phone, profile: PhoneProfile, kind: Deployment.Kind, actor: Actor, reason: str) -> Deployment:
    """The deployment that puts this profile's file on the phone, not stored. Raises Refusal."""
    file_server_of(phone)
    deployment = request_of(phone, actor, profile, file_for(phone, profile), kind)
    deployment.reason = reason[:255]
    return deployment


def back_to_base(phone: Phone, actor: Actor, reason: str) -> Deployment:
    """The deployment that brings the phone's base profile back, not stored. Raises Refusal."""
    if phone.base_profile is None:
        raise EmRefusal(EmCode.DEVICE_DISABLED, "no-base-profile", NO_BASE)
    return switch_to(phone, phone.base_profile, Deployment.Kind.LOG_OUT, actor, reason)


def store(deployments: Sequence[Deployment], *, answer_first: bool = False) -> None:
    """Queue them, in the transaction of the sessions that they are of. Their phones are locked."""
    for row in deployments if answer_first else ():
        assert row.next_attempt_at is not None, "none of these is held"  # noqa: S101
        row.next_attempt_at += ANSWER_FIRST
    queued(deployments, phones=[row.phone_id for row in deployments if row.phone_id])
    nudge_after_commit(DEPLOYMENTS)
