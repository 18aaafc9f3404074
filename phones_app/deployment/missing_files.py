"""Tells of files that phones ask for in vain though their own files name them: once, until one is given.

It is judged where requests are counted (`boot.requests`), for some hundred rows together and off the path of requests.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from contacts_app.core.work import clock
from phones_app.boot.names import OWN_MAC
from phones_app.boot.requests import LastRequest
from phones_app.deployment.models import PhoneFile
from phones_app.inventory.models import Phone
from profiles_app.events.outbox import EventDraft, emit_many
from profiles_app.phone import sep

MISSING, GIVEN = "file-missing", "file-given"


def files_counted(rows: Sequence[LastRequest]) -> None:
    """Called with rows that are about to be written."""
    # A phone's own file and its trust list are no companions of the file that it has.
    missing = [row for row in rows if row.mac and row.is_missing and row.told_at is None and OWN_MAC not in row.name]
    given = [row for row in rows if row.mac and not row.is_missing and row.told_at is not None]
    phones = _phones({str(row.mac) for row in (*missing, *given)})
    named = {mac: _named(phone, facts) for mac, (phone, facts) in phones.items()}
    drafts = []
    for row in missing:
        if why := named.get(str(row.mac), {}).get(row.name.lower()):
            row.told_at = clock.now()
            drafts.append(_draft(phones[str(row.mac)][0], row, MISSING, f"{why[0].upper()}{why[1:]}."))
    for row in given:
        row.told_at = None
        if str(row.mac) in phones:
            drafts.append(_draft(phones[str(row.mac)][0], row, GIVEN, ""))
    emit_many(drafts)


def _phones(macs: set[str]) -> dict[str, tuple[Phone, Mapping[str, Any]]]:
    """The phones with what their files say, {} for those that none of ours was uploaded to."""
    if not macs:
        return {}
    phones = Phone.objects.filter(mac__in=macs).select_related("account").defer("web_password", "description")
    files = PhoneFile.objects.filter(phone__mac__in=macs, revision__isnull=False)
    facts = dict(files.values_list("phone", "revision__facts"))
    return {phone.mac: (phone, facts.get(phone.pk) or {}) for phone in phones}


def _named(phone: Phone, facts: Mapping[str, Any]) -> dict[str, str]:
    """What the phone's file names, in lower case, each with the words that it is missing."""
    return {
        name.lower(): companion.missing
        for companion in sep.companions(facts, model=phone.model, runs=phone.software_version)
        for name in companion.names
    }


def _draft(phone: Phone, row: LastRequest, tag: str, error: str) -> EventDraft:
    return EventDraft(
        account=phone.account,
        tags=["phone", tag],
        data_type="phone",
        data_object_uuid=phone.uuid,
        data={
            "mac": phone.mac_with_colons,
            "name": phone.name,
            "ip": row.address,
            "file": row.name,
            "protocol": row.protocol,
            "error": error,
        },
    )
