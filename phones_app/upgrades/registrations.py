"""What Asterisk tells of the load of phones whose status page tells nothing (Asterisk spec §K)."""

from collections.abc import Sequence

from contacts_app.core.errors import TransportError
from contacts_app.core.lists.among import among
from phones_app.deployment.models import DeploymentStep
from phones_app.deployment.restart import PASSING, registration_of
from phones_app.firmware.sets.versions import tells_load
from phones_app.upgrades.models import Upgrade


def told_by_registration(upgrades: Sequence[Upgrade]) -> dict[int, str]:
    """What phones said when they registered, by upgrade, of those where it is the load that they get now.

    Only where they said otherwise right before their restart: a registration may be older than it, and a user agent does
    not tell loads of one version apart.
    """
    rows = DeploymentStep.objects.filter(
        deployment__in=among([row.member.deployment_id for row in upgrades]), kind=DeploymentStep.Kind.RESTART
    )
    restarts = dict(rows.values_list("deployment", "detail"))
    told: dict[int, str] = {}
    away: set[int | None] = set()
    for upgrade in upgrades:
        before = restarts.get(upgrade.member.deployment_id) or {}
        phone = upgrade.phone
        if phone is None or not before.get("software") or phone.call_manager_id in away:
            continue
        try:
            now = registration_of(phone, before["endpoint"])
        except TransportError as error:
            if error.code in PASSING:
                # It is not waited for once per phone.
                away.add(phone.call_manager_id)
            continue
        if now is None or tells_load(before["software"], upgrade.load):
            continue
        if now.reachable is not False and tells_load(now.software, upgrade.load):
            told[upgrade.pk] = now.software
    return told
