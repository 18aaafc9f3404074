"""The firmware of one phone: what it has, should have and will fetch when it boots; the way there, and whether its file
server has it (boot server spec §8).
"""

from dataclasses import dataclass

from contacts_app.core.errors import Refusal
from phones_app.configuration.models import PhoneConfiguration
from phones_app.firmware.services import load_of, missing_for, way_of
from phones_app.firmware.sets.gates import LoadWay
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from phones_app.servers.services import default_server
from phones_app.shared_files.copies import placed_names


@dataclass(frozen=True)
class PhoneFirmware:
    """Loads, "" where none is known or named. `way` leads from what it has to what it should have, None: it is there.

    `warnings` are sentences about the loads that it is to fetch.
    """

    has: str
    should: str
    will_fetch: str
    way: LoadWay | None
    warnings: tuple[str, ...]


def firmware_of(phone: Phone) -> PhoneFirmware | None:
    """None: nothing is known of it."""
    known = PhoneConfiguration.objects.filter(phone=phone).first()
    has, should = phone.software_version, known.load if known else ""
    will_fetch = known.file_load if known and known.file_load != has else ""
    if not (has or should or will_fetch):
        return None
    way = way_of(phone.model, phone.software_type or "", has, should) if has and should != has and should else None
    wanted = dict.fromkeys([*([will_fetch] if will_fetch else []), *(step.load for step in (way.steps if way else ()))])
    server = _server_of(phone)
    warnings = [text for load in wanted if (text := _not_there(phone, server, load))]
    return PhoneFirmware(has, should, will_fetch, way, tuple(warnings))


def _server_of(phone: Phone) -> FileServer | None:
    try:
        return phone.file_server or default_server(phone.account_id)
    except Refusal:
        return None


def _not_there(phone: Phone, server: FileServer | None, load: str) -> str:
    """Why the phone would not find all of a load; "": it would."""
    if server is None:
        return ""
    row = load_of(load, phone.account_id)
    if not server.is_embedded and not server.takes_shared_files:
        return f"Whether {server} has {load} is not known: shared files are not brought there."
    if row is None:
        return f"The portal does not have {load}."
    if missing := missing_for(row, phone.account_id):
        return f"Of {load} the phone does not find all: {', '.join(missing[:3])}."
    if server.is_embedded:
        return ""
    awaited = len(row.paths) - len(placed_names([server], row.paths)[server.pk])
    return f"{awaited} files of {load} are not on {server} yet." if awaited else ""
