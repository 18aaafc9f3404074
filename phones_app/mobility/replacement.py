"""A handset is replaced by another one (mobility spec §6). The phone's row gets the new MAC address and keeps settings,
profile, groups, sessions, deployments and history; the old handset gets a row of its own, which is retired.
"""

from copy import copy
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import because
from contacts_app.core.work.wake import nudge_after_commit
from contacts_app.people.models import User
from phones_app.configuration.rendering import revisions_for
from phones_app.deployment.left_files import remove_later
from phones_app.deployment.models import Deployment
from phones_app.deployment.removals import Removals
from phones_app.deployment.request import check_compatible, deploy
from phones_app.inventory.models import Phone, Presence, ServiceSession
from phones_app.mobility.login import log_in
from phones_app.mobility.models import PRESENT, MobilitySession
from profiles_app.events.outbox import emit
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, is_made
from profiles_app.phone.services import describe, findings_of

TAKEN = "There is a phone with this MAC address already."
# What the old handset's row keeps: the rest is the phone's, which goes on with the new one.
KEPT_BY_THE_OLD = (
    "account",
    "brand",
    "model",
    "name",
    "location",
    "software_type",
    "software_version",
    "serial_number",
)


@dataclass(frozen=True)
class Handset:
    """The new one. Its address is known where it asks for this itself."""

    mac: str
    model: str = ""
    address: str | None = None


@dataclass(frozen=True)
class Replacement:
    """What would happen or did. `lacks`: what the new model has no place for; `refusal`: why nothing is done."""

    phone: Phone
    handset: Handset
    profile: PhoneProfile | None
    lacks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refusal: Refusal | None = None
    deployment: Deployment | None = None

    def as_dict(self) -> dict[str, object]:
        return {
            "mac": self.handset.mac,
            "model": self.handset.model,
            "profile": self.profile.name if self.profile else None,
            "lacks": self.lacks,
            "warnings": self.warnings,
            "refused": self.refusal.message if self.refusal else None,
            "deployment": str(self.deployment.uuid) if self.deployment else None,
        }


def preview(phone: Phone, handset: Handset, profile: PhoneProfile | None = None) -> Replacement:
    """Everything that can be told before; nothing is written."""
    session = _present(phone)
    # The file of a person who is logged in is theirs, not the phone's; it comes with them.
    profile = profile or (phone.base_profile if session else phone.current_profile)
    model = handset.model or phone.model
    lacks: list[str] = []
    warnings: list[str] = []
    refusal = None
    row = _as_new(copy(phone), phone, handset)
    if is_made(profile):
        outcome = revisions_for([row], profile, store=False)[row.pk]
        lacks = [] if isinstance(outcome, Refusal) else list(outcome.remarks)
    elif profile is not None and profile.revision is not None:
        content = profile.content
        # A text file is refused as a whole where the model reads none.
        lacks = [] if sep.is_plain_text(content) else sep.keys_without_place(sep.parse(content), model)
        before = {finding.code for finding in findings_of(content, model=phone.model)}
        found = findings_of(content, model=model)
        warnings = [describe(one) for one in found if one.code not in before and one.code != "line-keys"]
    try:
        _free(phone, handset.mac)
        if profile is not None:
            check_compatible(row, profile)
    except Refusal as refused:
        refusal = refused
    return Replacement(phone, handset, profile, lacks, warnings, refusal)


def replace_handset(
    phone: Phone, handset: Handset, *, actor: Actor, profile: PhoneProfile | None = None, reason: str = ""
) -> Replacement:
    """Let the new handset take the phone's place, and deploy to it. Raises Refusal."""
    try:
        with transaction.atomic(), because(reason or f"Replaced by {sep.colons(handset.mac)}"):
            return _replace(phone, handset, actor, profile)
    except IntegrityError:
        raise Refusal("mac-in-use", TAKEN) from None


def _replace(phone: Phone, handset: Handset, actor: Actor, profile: PhoneProfile | None) -> Replacement:
    session = _present(phone)
    if session is not None:
        # In the order of log-ins (`switch`).
        User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=session.user_id or 0).first()
    phone = Phone.objects.select_for_update(no_key=True, of=("self",)).select_related("account").get(pk=phone.pk)
    planned = preview(phone, handset, profile)
    if planned.refusal is not None:
        raise planned.refusal
    if spare := _free(phone, handset.mac):
        spare.delete()
    old = Phone(**{name: getattr(phone, name) for name in KEPT_BY_THE_OLD}, mac=phone.mac, is_active=False)
    _as_new(phone, phone, handset).save()
    old.replaced_by = phone
    old.save()
    # The log-in on the service menu was good at the old handset's address alone.
    ServiceSession.objects.filter(mac=old.mac).delete()
    if remove_later(old.mac):
        nudge_after_commit(Removals.queue)
    deployment = _logged_in_again(phone, session, actor) if session else None
    if deployment is None and planned.profile is not None:
        deployment = deploy(phone=phone, profile=planned.profile, actor=actor)
    emit(
        account=phone.account,
        tags=("phone", "phone-replaced"),
        data_type="phone",
        data={"mac": phone.mac_with_colons, "name": phone.name, "model": phone.model, "old_mac": old.mac_with_colons},
        data_object_uuid=phone.uuid,
    )
    return Replacement(phone, handset, planned.profile, planned.lacks, planned.warnings, deployment=deployment)


def _present(phone: Phone) -> MobilitySession | None:
    """The log-in of the person who is at the phone, and moves to the new handset with it."""
    rows = MobilitySession.objects.filter(phone=phone.pk, state__in=PRESENT, user__isnull=False)
    return rows.select_related("user", "profile").first()


def _logged_in_again(phone: Phone, session: MobilitySession, actor: Actor) -> Deployment | None:
    """The log-in at the old handset has ended with it. None where the person's file does not fit the new one."""
    if session.user is None:
        return None
    try:
        with transaction.atomic():
            return log_in(phone, session.user, profile=session.profile, until=session.until, actor=actor).login
    except Refusal:
        return None


def _as_new(row: Phone, phone: Phone, handset: Handset) -> Phone:
    """The row with what the new handset is; nothing was seen of it yet."""
    model = handset.model or phone.model
    device = sep.catalogue.find(model)
    row.mac, row.model, row.is_active = handset.mac, model, phone.is_active
    row.software_type = phone.software_type
    if device is not None and row.software_type and row.software_type.removesuffix("E") not in device.protocols:
        row.software_type = None
    row.phone_ip, row.hostname, row.software_version, row.serial_number = handset.address, "", "", ""
    row.presence, row.presence_since, row.in_call, row.mac_there = Presence.NEVER, None, None, ""
    return row


def _free(phone: Phone, mac: str) -> Phone | None:
    """The row that stands for the new handset already, as a spare or a retired one. Raises Refusal when it is in use."""
    row = Phone.objects.filter(mac=mac).select_related("account").first()
    if row is None:
        return None
    is_spare = row.replaced_by_id is not None or (
        row.current_profile_id is None and not Deployment.objects.filter(phone=row).exists()
    )
    if row.pk == phone.pk or row.account_id != phone.account_id or not is_spare:
        raise Refusal("mac-in-use", TAKEN)
    return row
