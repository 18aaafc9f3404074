"""Looking for phones: those of the inventory where they should be, and in a network at every address.

A known phone is found in its place or has moved; an unknown one is listed and, if an account is named,
added to it. Only networks that ops have named in PHONE_NETWORKS are searched, and no large ones.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network

from django.db import transaction
from django.db.models import Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import create_recorded, save_recorded
from contacts_app.core.lists.update import update_many
from contacts_app.core.work import clock
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import BATCH, WRITTEN, Place, Seen, check_all, is_news, note, tell, write_down
from phones_app.servers.services import phone_networks
from profiles_app.phone import sep

MOST_ADDRESSES = 4096  # a /20
WEB_PORT = 80


class Discovery(StrEnum):
    KNOWN = "known"
    MOVED = "moved"
    ANOTHER = "another phone"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    ADDED = "added"


@dataclass(frozen=True)
class Search:
    """Where to look: phones by their records, and networks, whose unclaimed addresses are asked at `port`."""

    phones: "QuerySet[Phone]"
    networks: Sequence[IPv4Network | IPv6Network] = ()
    port: int = WEB_PORT

    def count(self) -> int:
        """At most so many places."""
        known = self.phones.filter(phone_ip__isnull=False).count()
        return known + sum(network.num_addresses for network in self.networks)

    def places(self) -> Iterator[Place]:
        """Known phones first. Of addresses with several of them each is asked for at its own port."""
        claimed: set[str] = set()
        rows = self.phones.filter(phone_ip__isnull=False).order_by("pk")
        for pk, address, port in rows.values_list("pk", "phone_ip", "web_port").iterator(chunk_size=1000):
            claimed.add(str(address))
            yield Place(str(address), port, pk)
        for network in self.networks:
            for host in network.hosts():
                if str(host) not in claimed:
                    claimed.add(str(host))
                    yield Place(str(host), self.port)


@dataclass(frozen=True)
class DiscoveredPhone:
    """What one place held. `phone` is the record of who answered, else of who should have."""

    result: Discovery
    seen: Seen
    phone: Phone | None

    @property
    def mac(self) -> str:
        return self.seen.status.mac if self.seen.status else self.phone.mac if self.phone else ""


def search_networks(networks: Sequence[IPv4Network | IPv6Network]) -> None:
    """Raises Refusal for networks that may not be searched."""
    for network in networks:
        if not phone_networks().names(network):
            raise Refusal("outside-networks", f"{network} is not inside PHONE_NETWORKS.")
    if sum(network.num_addresses for network in networks) > MOST_ADDRESSES:
        raise Refusal("too-large", f"More than {MOST_ADDRESSES} addresses (a /20) are not searched at once.")


def phones_in(networks: Sequence[IPv4Network | IPv6Network]) -> "QuerySet[Phone]":
    """The phones whose recorded address lies in one of the networks: named one by one, which every database can do."""
    return Phone.objects.filter(phone_ip__in=[str(address) for network in networks for address in network])


def discover(
    search: Search,
    *,
    threads: int,
    seconds: float,
    account: Account | None = None,
    on_check: Callable[[], object] = lambda: None,
) -> Iterator[DiscoveredPhone]:
    """Look everywhere and keep what is found, batch by batch; unknown phones are added to `account` if there is one."""
    batch: list[Seen] = []
    for seen in check_all(search.places(), threads=threads, seconds=seconds):
        on_check()
        batch.append(seen)
        if len(batch) == BATCH:
            yield from _keep(batch, account)
            batch = []
    yield from _keep(batch, account)


@transaction.atomic
def _keep(batch: Sequence[Seen], account: Account | None) -> list[DiscoveredPhone]:
    write_down(batch)
    asked = {seen.place.phone for seen in batch if seen.place.phone is not None}
    macs = {seen.status.mac for seen in batch if seen.status}
    rows = Phone.objects.select_related("account").defer("web_password")
    rows = rows.filter(Q(pk__in=asked) | Q(mac__in=macs))
    by_key = {phone.pk: phone for phone in rows}
    by_mac = {phone.mac: phone for phone in by_key.values()}
    presences = {phone.pk: phone.presence for phone in by_key.values()}
    judged = (_judge(seen, by_key.get(seen.place.phone or 0), by_mac, account) for seen in batch)
    findings = [finding for finding in judged if finding is not None]
    results: dict[Discovery, list[Phone]] = {result: [] for result in Discovery}
    for finding in findings:
        if finding.phone is not None:
            results[finding.result].append(finding.phone)
    create_recorded(results[Discovery.ADDED])
    moved = results[Discovery.MOVED]
    save_recorded(moved, (*WRITTEN, "phone_ip", "web_port", "hostname"))
    # A change of the address forgets whether the phone was seen; these were seen at the new one.
    update_many(moved, ("presence", "presence_since"))
    tell([phone for phone in moved if is_news(presences[phone.pk], phone.presence)])
    return findings


def _judge(
    seen: Seen, expected: Phone | None, by_mac: dict[str, Phone], account: Account | None
) -> DiscoveredPhone | None:
    """What one place means; None for an address at which nobody was expected and no phone is."""
    status = seen.status
    if status is None:
        return DiscoveredPhone(Discovery.UNREACHABLE, seen, expected) if expected else None
    if not sep.is_mac(status.mac):
        # A page that names no MAC address is no proof of another phone.
        return DiscoveredPhone(Discovery.KNOWN, seen, expected) if expected else None
    there = by_mac.get(status.mac)
    if there is None and account is None:
        return DiscoveredPhone(Discovery.ANOTHER if expected else Discovery.UNKNOWN, seen, expected)
    if there is None:
        by_mac[status.mac] = phone = Phone(mac=status.mac, account=account)
        _settle(phone, seen)
        return DiscoveredPhone(Discovery.ADDED, seen, phone)
    if (there.phone_ip, there.web_port) == (seen.place.address, seen.place.port):
        return DiscoveredPhone(Discovery.KNOWN, seen, there)
    _settle(there, seen)
    return DiscoveredPhone(Discovery.MOVED, seen, there)


def _settle(phone: Phone, seen: Seen) -> None:
    """The phone is here now."""
    phone.phone_ip, phone.web_port = seen.place.address, seen.place.port
    if seen.status is not None:
        phone.hostname = phone.hostname or seen.status.host_name[:255]
    note(phone, seen, clock.now())
