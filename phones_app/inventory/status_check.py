"""Status checks: what phones say of themselves on their status pages, read at intervals and kept on their rows.

A row is due at `next_check_at`, and claimed by setting that time ahead: a check only reads, so doing one twice after a
crash does no harm. Reading is bounded and needs no database; the results are stored in batches, with an event for each
phone that became unreachable, came back, or is another one than its record says.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.history.records import save_recorded
from contacts_app.core.lists.search import NOTHING
from contacts_app.core.metrics import Counted
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.inventory.models import Phone, Presence
from phones_app.inventory.services import TAKEN, address_taken, taken_addresses
from phones_app.servers.services import phone_networks
from phones_app.transports.phone_web import PhoneStatus, PhoneWeb, read_status, read_streams
from profiles_app.events.outbox import EventDraft, emit_many
from profiles_app.phone import sep

log = structlog.get_logger(__name__)

STATUS_CHECKS = "status-checks"
BATCH = 200
# A phone that restarts misses a status check; only one that misses the next as well is called unreachable.
MISSES, SECOND_CHECK = 2, timedelta(seconds=90)
TAKEN_CODE = "address-taken"
# Nothing was sent to these, so nothing is known of the phone there.
NOT_ASKED = ("outside-networks", TAKEN_CODE)
# What a phone's record tells its account: not what else listens at an address that the account has typed.
OWN_WORDS = {
    "outside-networks": "The address is neither public nor in one of the networks of the setting PHONE_NETWORKS.",
    "": "No status page of a phone answers at this address.",
}
# An address that may not be asked is looked at again in case that somebody has allowed it.
FORBIDDEN_PAUSE = timedelta(hours=6)

WRITTEN = (
    "last_seen_at", "presence", "presence_since", "in_call", "serial_number", "mac_there", "looked_at",
    "look_error", "missed_checks", "next_check_at", "model", "software_version", "software_type",
)  # fmt: skip
TAGS = {
    Presence.UNREACHABLE: "phone-unreachable",
    Presence.REACHABLE: "phone-seen-again",
    Presence.ANOTHER: "phone-at-another-address",
}
CHECKS = Counted("patchbay_status_checks_total", "Status pages that were asked for, by what came of it.", "result")


@dataclass(frozen=True)
class Place:
    """Where to look, and for whose sake: `phone` is the key of its row, None for an address that nobody claims."""

    address: str
    port: int
    phone: int | None = None


@dataclass(frozen=True)
class Seen:
    """What was found at a place; `status` None: `error` says why there is nothing, `code` in a word."""

    place: Place
    status: PhoneStatus | None
    in_call: bool | None = None
    error: str = ""
    code: str = ""


def check(place: Place, seconds: float = 2.0) -> Seen:
    """Ask what is there, and whether somebody is talking on it."""
    web = PhoneWeb(host=place.address, port=place.port, networks=phone_networks())
    try:
        status = read_status(web, timeout=seconds)
    except TransportError as error:
        return Seen(place, None, error=error.message, code=error.code)
    return Seen(place, status, in_call=read_streams(web, timeout=seconds + 1))


def check_all(
    places: Iterable[Place], *, threads: int, seconds: float = 2.0, stopped: Callable[[], bool] = lambda: False
) -> Iterator[Seen]:
    """Look everywhere, so many at a time, and yield each as it comes; whatever is not yet begun can be stopped."""
    waiting = iter(places)
    with ThreadPoolExecutor(threads, thread_name_prefix="status-checks") as pool:
        running: set[Future[Seen]] = set()
        while True:
            more = [] if stopped() else islice(waiting, threads - len(running))
            running |= {pool.submit(check, place, seconds) for place in more}
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def check_now(phone: Phone) -> Seen:
    """Look at one phone while somebody waits. Raises Refusal when its address is not known."""
    if not phone.phone_ip:
        raise Refusal("no-address", "The phone's IP address is not known.")
    if address_taken(phone):
        raise Refusal(TAKEN_CODE, TAKEN.format(address=phone.phone_ip))
    seen = check(Place(phone.phone_ip, phone.web_port, phone.pk))
    write_down([seen])
    return seen


def checkable() -> Q:
    """Which phones are looked at."""
    return Q(is_active=True, phone_ip__isnull=False) if settings.STATUS_CHECK_SECONDS > 0 else NOTHING


def unchecked(since: datetime) -> Q:
    """Those of them that were not looked at since."""
    return checkable() & (Q(looked_at=None) | Q(looked_at__lt=since))


def request_status_checks(phones: "QuerySet[Phone]") -> int:
    """Have these phones looked at now; how many can be."""
    asked = phones.filter(checkable()).update(next_check_at=clock.now())
    if asked:
        nudge_after_commit(STATUS_CHECKS)
    return asked


class StatusChecks(Work):
    """Reading the status pages of phones that are due, by one process at a time."""

    name = queue = STATUS_CHECKS
    model = Phone
    due_field = "next_check_at"
    batch = BATCH
    # Longer than a round with its last batch can take, each phone being asked for five seconds at most.
    claim_time = timedelta(minutes=5)
    # So that a worker with other work gets to it.
    round_time = timedelta(seconds=30)

    @classmethod
    def due(cls) -> "QuerySet[Phone]":
        return Phone.objects.filter(checkable(), next_check_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        look_at(list(Phone.objects.filter(pk__in=keys).defer("web_password")))


def look_at(phones: Sequence[Phone]) -> None:
    """Look at these phones, whose addresses are known, and keep what is found."""
    taken = taken_addresses(phones)
    by_key = {phone.pk: Place(str(phone.phone_ip), phone.web_port, phone.pk) for phone in phones}
    untold = [_taken(by_key[key]) for key in taken]
    places = [place for key, place in by_key.items() if key not in taken]
    write_down([*untold, *check_all(places, threads=settings.STATUS_CHECK_THREADS)])


def _taken(place: Place) -> Seen:
    return Seen(place, None, error=TAKEN.format(address=place.address), code=TAKEN_CODE)


@transaction.atomic
def write_down(seen: Sequence[Seen]) -> int:
    """Keep what was found at the addresses of phones; of how many. An address changed meanwhile is not judged."""
    by_phone = {found.place.phone: found for found in seen if found.place.phone is not None}
    rows = Phone.objects.select_for_update(no_key=True).defer("web_password").filter(pk__in=by_phone).order_by("pk")
    now, told, news = clock.now(), [], []
    for phone in rows:
        found = by_phone[phone.pk]
        if (phone.phone_ip, phone.web_port) != (found.place.address, found.place.port):
            continue
        before = phone.presence
        note(phone, found, now)
        CHECKS.add(found.code or "answered")
        told.append(phone)
        if is_news(before, phone.presence):
            news.append(phone)
    save_recorded(told, WRITTEN)
    tell(news)
    return len(told)


def note(phone: Phone, found: Seen, now: datetime) -> None:
    """Put what was found at its address on a phone."""
    told = found.error if found.code == TAKEN_CODE else OWN_WORDS.get(found.code, OWN_WORDS[""])
    phone.looked_at, phone.look_error = now, told[:255] if found.error else ""
    if found.error:
        log.debug("no status page", mac=phone.mac, reason=found.error, code=found.code)
    phone.next_check_at = now + _pause()
    status = found.status
    if status is None:
        phone.in_call = None
        if found.code in NOT_ASKED:
            phone.next_check_at = now + FORBIDDEN_PAUSE
            return
        phone.missed_checks = min(phone.missed_checks + 1, MISSES)
        if phone.missed_checks < MISSES:
            phone.next_check_at = min(now + SECOND_CHECK, phone.next_check_at)
        else:
            _become(phone, Presence.UNREACHABLE, now)
        return
    phone.missed_checks = 0
    if status.mac and status.mac != phone.mac:
        phone.mac_there, phone.in_call = status.mac, None
        phone.look_error = f"The phone there is {sep.colons(status.mac)}: the address has changed."
        _become(phone, Presence.ANOTHER, now)
        return
    phone.mac_there, phone.in_call, phone.last_seen_at = "", found.in_call, now
    _become(phone, Presence.REACHABLE, now)
    describe(phone, status)


def describe(phone: Phone, status: PhoneStatus) -> None:
    """Take over what the phone says of itself; where its record is finer than the page (SIPE, a spelling), that stays."""
    if status.model and sep.catalogue.normalise_model(phone.model) != status.model:
        phone.model = status.model
    if status.software and not (
        phone.software_type and sep.catalogue.same_software(status.software, phone.software_type)
    ):
        phone.software_type = status.software
    phone.software_version = status.load[:128] or phone.software_version
    phone.serial_number = status.serial[:64] or phone.serial_number


def is_news(before: str, after: str) -> bool:
    """What is worth an event: not that a phone was found that nobody had looked at before."""
    known = (Presence.UNREACHABLE, Presence.REACHABLE, Presence.ANOTHER)
    return before != after and (before in known or after == Presence.ANOTHER)


def _become(phone: Phone, presence: Presence, now: datetime) -> None:
    if phone.presence != presence:
        phone.presence, phone.presence_since = presence, now
    if presence is not Presence.ANOTHER:
        phone.mac_there = ""


def _pause() -> timedelta:
    # Without the jitter all phones of an import would be looked at together for ever.
    return timedelta(seconds=(settings.STATUS_CHECK_SECONDS or 900.0) * random.uniform(0.8, 1.2))  # noqa: S311


def tell(phones: Sequence[Phone]) -> None:
    """Tell listeners, and through them the account's contacts, what has become of these phones."""
    emit_many([_draft(phone) for phone in phones])


def _draft(phone: Phone) -> EventDraft:
    return EventDraft(
        account=phone.account,
        tags=["phone", TAGS[Presence(phone.presence)]],
        data_type="phone",
        data_object_uuid=phone.uuid,
        data={
            "mac": phone.mac_with_colons,
            "name": phone.name,
            "ip": phone.phone_ip,
            "presence": phone.presence,
            "mac_there": sep.colons(phone.mac_there) if phone.mac_there else None,
            "last_seen_at": phone.last_seen_at,
            "error": phone.look_error,
        },
    )
