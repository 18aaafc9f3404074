"""SIP connections and control apps: storing them, and assigning numbers of their account to them."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from profiles_app.messaging.models import NumberLease
from profiles_app.sip.models import NumberRouting, SipConnection, SipControlApp, SipRecord

# What each is called at a number.
TARGETS: dict[type[SipRecord], str] = {SipConnection: "sip_connection", SipControlApp: "sip_control_app"}
MODELS: dict[str, type[SipRecord]] = {name: model for model, name in TARGETS.items()}


def save_sip_record(row: SipRecord, *, actor: Actor, changed: Iterable[str] | None = None) -> SipRecord:
    """Store the row, of an existing one only the `changed` fields. Its outbound voice profile is of its account."""
    profile = row.outbound_voice_profile
    if profile is not None and profile.account_id != row.account_id:
        raise Refusal("other-account", "Outbound voice profile not found")
    row.stamp_author(actor)
    try:
        with transaction.atomic():
            row.save(update_fields=None if changed is None else {*changed, "modified_by", "updated_at"})
    except IntegrityError:
        same = type(row)._default_manager.filter(subdomain=row.subdomain).exclude(pk=row.pk)
        if not row.subdomain or not same.exists():
            raise
        raise Refusal("subdomain-taken", f"The subdomain {row.subdomain} is taken") from None
    return row


@transaction.atomic
def route_number(lease: NumberLease, targets: Mapping[str, SipRecord | None]) -> None:
    """Assign a number: `targets` says to which connection or app, None: to none. What is not named stays."""
    for target in targets.values():
        if target is not None and target.account_id != lease.account_id:
            raise Refusal("other-account", f"{target._meta.verbose_name} not found")
    # Locked, so that two at once write one row.
    NumberLease.objects.select_for_update().get(pk=lease.pk)
    routing = NumberRouting.objects.filter(lease=lease).first() or NumberRouting(lease=lease)
    before = {name: getattr(routing, f"{name}_id") for name in targets}
    if before != {name: target and target.pk for name, target in targets.items()}:
        for name, target in targets.items():
            setattr(routing, name, target)
        routing.save()


@transaction.atomic
def assign_numbers(target: SipRecord, *, add: Collection[UUID], remove: Collection[UUID]) -> None:
    """Assign numbers of the account to a connection or an app, and take others off it; all of it or nothing.

    A number that is assigned elsewhere moves. Taking off a number that is not there changes nothing.
    """
    kind = TARGETS[type(target)]
    both = {*add, *remove}
    leases = {
        lease.uuid: lease
        for lease in NumberLease.objects.filter(account_id=target.account_id, uuid__in=both).order_by("pk")
    }
    if missing := both - leases.keys():
        raise Refusal("no-lease", f"TN lease {min(map(str, missing))} not found")
    here = set(numbers_of(target).values_list("uuid", flat=True))
    for uuid, lease in leases.items():
        if uuid in add:
            route_number(lease, {kind: target})
        elif uuid in here:
            route_number(lease, {kind: None})


def numbers_of(target: SipRecord) -> QuerySet[NumberLease]:
    return NumberLease.objects.filter(**{f"routing__{TARGETS[type(target)]}": target})
