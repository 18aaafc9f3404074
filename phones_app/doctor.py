"""What the doctor looks at for phones: the networks that they may be in, their file servers and call managers, the
embedded file server of this machine, the contents of shared files, what phones run while nobody is logged in on them,
and where new ones enrol.

File servers and Asterisks are connected to, and nothing is said to them: what *Test connection* found is told beside.
"""

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q

from contacts_app.accounts.models import Account
from contacts_app.core.doctor.checks import Defect, HealthCheck
from contacts_app.core.doctor.installation import ADVICE as GROUND
from contacts_app.core.doctor.installation import WIDEST, wide_networks
from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import connection_error
from contacts_app.core.tables import table
from phones_app.boot.services import config_url
from phones_app.inventory.models import Phone
from phones_app.mobility.enrolment_file import parse_networks
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import networks_of, no_sip_to, phone_networks
from phones_app.shared_files.models import SharedFile
from phones_app.shared_files.store import place_of
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import colons

ADVICE = GROUND | table(__file__, "doctor.toml")
CONNECT_SECONDS = 2.0
THREADS = 32
LOOPBACK = ("127.0.0.1", "::1")
Server = FileServer | CallManager


def unreadable() -> bool:
    return any(defect.code == "networks-unreadable" for defect in wide_networks("PHONE_NETWORKS"))


def networks() -> Iterator[Defect]:
    yield from wide_networks("PHONE_NETWORKS")
    if unreadable():
        return
    allowed = phone_networks()
    addresses = Phone.objects.filter(is_active=True, phone_ip__isnull=False).order_by().values_list("mac", "phone_ip")
    outside = [(mac, ip) for mac, ip in addresses.iterator() if ip and not allowed.allows(ip)]
    if outside:
        mac, ip = min(outside)
        more = f" and {len(outside) - 1} more" if len(outside) > 1 else ""
        named = settings.PHONE_NETWORKS or "it is empty"
        yield Defect("phones-outside", f"Phone {colons(mac)} at {ip}{more}: not in PHONE_NETWORKS ({named}).")


def file_servers() -> Iterator[Defect]:
    rows = list(FileServer.objects.defer("password").order_by("name", "pk"))
    in_use = [
        row for row in rows if not row.is_embedded or row.is_default or Phone.objects.filter(file_server=row).exists()
    ]
    if not any(row.is_default or row.is_embedded for row in rows) and Phone.objects.filter(file_server=None).exists():
        yield Defect("no-file-server", "There are phones without a file server, and none is the default.")
    yield from _unreachable(in_use, "file-server", "File server")


def call_managers() -> Iterator[Defect]:
    rows = list(CallManager.objects.defer("password").order_by("name", "pk"))
    yield from _unreachable(rows, "call-manager", "Call manager")
    for row in rows:
        if row.kind == CallManager.Kind.SIP and (trouble := no_sip_to(row)):
            yield Defect("call-manager-kind", f"Call manager {row.name}: {trouble}")


def _unreachable(rows: Iterable[Server], code: str, what: str) -> Iterator[Defect]:
    rows = list(rows)
    if unreadable():
        return  # which another check tells
    with ThreadPoolExecutor(THREADS) as threads:
        for row, trouble in zip(rows, threads.map(_reach, rows), strict=True):
            name = f"{what} {row.name} ({row.host}:{row.port})"
            if trouble is not None:
                yield Defect(
                    "server-outside" if trouble.code == "outside-networks" else code, f"{name}: {trouble.message}."
                )
            elif row.tested_at and row.test_result:
                yield Defect(
                    f"{code}-test", f"{name}: its last test, {row.tested_at:%Y-%m-%d %H:%M}, said: {row.test_result}"
                )


def _reach(row: Server) -> TransportError | None:
    """Why there is no connection. A registrar that is spoken to by SIP is only looked up: an open port says nothing."""
    try:
        address = networks_of(row).resolve(row.host, row.port)
        if not (isinstance(row, CallManager) and row.kind == CallManager.Kind.SIP):
            socket.create_connection((address, row.port), CONNECT_SECONDS).close()
    except TransportError as error:
        return error
    except OSError as error:
        return connection_error(error, f"{row.host}:{row.port}")
    return None


def embedded_file_server() -> Iterator[Defect]:
    """Where phones of other machines are to fetch from it, it has to listen where they can reach it, on the port set."""
    row = FileServer.objects.filter(is_embedded=True).only("pk", "is_default").first()
    if row is None:
        return
    its_phones = Q(file_server=row) | Q(file_server=None) if row.is_default else Q(file_server=row)
    # Simulated phones have the whole network of the loopback.
    here = Q(phone_ip__startswith="127.") | Q(phone_ip="::1")
    elsewhere = Phone.objects.filter(its_phones, is_active=True, phone_ip__isnull=False).exclude(here)
    phone = elsewhere.order_by("mac").values_list("mac", "phone_ip").first()
    if phone and settings.FILE_SERVER_HOST in (*LOOPBACK, "localhost"):
        yield Defect(
            "file-server-loopback",
            f"Phone {colons(phone[0])} at {phone[1]} cannot fetch from {settings.FILE_SERVER_HOST}.",
        )
    wanted, listens = settings.FILE_SERVER_HTTP_PORT, urlsplit(config_url()).port
    if wanted and listens != wanted:
        yield Defect("file-server-port", f"The embedded file server listens on port {listens} instead of {wanted}.")


def log_outs() -> Iterator[Defect]:
    """A phone on which nobody is logged in has to be able to call for help (mobility spec §5.3)."""
    bases = PhoneProfile.objects.filter(base_of__is_active=True).distinct().order_by("name", "pk")
    for name, facts in bases.values_list("name", "revision__facts"):
        if not (facts or {}).get("registration_user"):
            yield Defect("em-logout-no-emergency", f"Base profile {name}: no registered line, so no emergency calls.")


def enrolment() -> Iterator[Defect]:
    """Where phones enrol, Patchbay has to be let speak to them, and nobody else is to be (mobility spec §6)."""
    try:
        enrolling = parse_networks(settings.ENROLMENT_NETWORKS)
    except ValueError as error:
        yield Defect("enrolment-unreadable", f"ENROLMENT_NETWORKS: {error}.")
        return
    if unreadable():
        return
    of_phones = phone_networks()
    for network, account in enrolling:
        alike = [one for one in of_phones.networks if one.version == network.version]
        if network.prefixlen <= WIDEST[network.version]:
            yield Defect("enrolment-too-wide", f"ENROLMENT_NETWORKS has {network}: nearly all addresses.")
        elif not any(network.overlaps(one) for one in alike):
            yield Defect("enrolment-outside", f"ENROLMENT_NETWORKS has {network}: no part of it is in PHONE_NETWORKS.")
        elif not of_phones.names(network):
            yield Defect("enrolment-too-wide", f"ENROLMENT_NETWORKS has {network}: PHONE_NETWORKS has only a part.")
        if account is not None and not Account.objects.filter(voip_id=account, is_active=True).exists():
            yield Defect(
                "enrolment-account", f"ENROLMENT_NETWORKS: there is no active account {account} for {network}."
            )


def shared_files() -> Iterator[Defect]:
    """Rows without their content: phones are told that there is no such file."""
    rows = SharedFile.objects.order_by("path", "pk").values_list("path", "sha256")
    lost = [path for path, sha256 in rows.iterator() if not place_of(sha256).is_file()]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        yield Defect("shared-file-lost", f"The content of {lost[0]}{more} is not in {settings.SHARED_FILES_DIR}.")


CHECKS = (
    HealthCheck("networks", networks, ADVICE),
    HealthCheck("file servers", file_servers, ADVICE),
    HealthCheck("call managers", call_managers, ADVICE),
    HealthCheck("embedded file server", embedded_file_server, ADVICE),
    HealthCheck("shared files", shared_files, ADVICE),
    HealthCheck("log-outs", log_outs, ADVICE),
    HealthCheck("enrolment", enrolment, ADVICE),
)
