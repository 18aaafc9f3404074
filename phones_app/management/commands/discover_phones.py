"""`manage.py discover_phones`: which phones are there, what do they run, and are they those of the inventory?"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import count
from typing import Any

from django.core.management.base import CommandError

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, UsageError, argument, headings, positive
from phones_app.inventory.discovery import DiscoveredPhone, Search, discover, phones_in, search_networks
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import Place
from profiles_app.phone.sep.catalogue import colons, parse_mac

MOST_THREADS = 256
Network = IPv4Network | IPv6Network


def target(text: str) -> str | Network:
    """A MAC address in any spelling, or an address or network."""
    try:
        return parse_mac(text)
    except ValueError:
        try:
            return ip_network(text)
        except ValueError as error:
            raise ValueError(f"“{text}” is neither a MAC address nor a network: {error}") from None


class Command(ReportingCommand):
    help = (
        "Read the status pages of phones and keep what they say: model, load, serial number, in a call, last seen. "
        "Of the whole inventory, of phones by MAC address, or of every address in networks inside PHONE_NETWORKS."
    )
    columns = headings(
        mac="Phone",
        name="Name",
        address="Address",
        result="Found",
        model="Model",
        load="Load",
        in_call="In a call",
        error="Why",
    )

    def arguments(self, add: Add) -> None:
        add("targets", nargs="*", type=argument(target), metavar="NETWORK|MAC")
        add("--add", action="store_true", help="Add phones that are not in the inventory to --account.")
        add_account(add, help="Whose phones are looked at, and who gets new ones.")
        add("--port", type=positive(int, at_most=65535), default=80, help="Of phones that are not in the inventory.")
        add(
            "--parallel",
            type=positive(int, at_most=MOST_THREADS),
            default=32,
            metavar="N",
            help="Phones asked at the same time (default: %(default)s).",
        )
        add(
            "--timeout",
            type=positive(float, at_most=30),
            default=2.0,
            metavar="SECONDS",
            help="How long a phone may take (default: %(default)g).",
        )

    def handle(
        self, *, targets: list[str | Network], add: bool, account: int | None, dry_run: bool, **options: Any
    ) -> None:
        if add and not account:
            raise UsageError("Say with --account VOIP_ID whose the new phones are.")
        owner = account_numbered(account)
        networks = [one for one in targets if not isinstance(one, str)]
        search_networks(networks)
        phones = self._phones([one for one in targets if isinstance(one, str)], networks)
        search = Search(phones.filter(account=owner) if owner else phones, networks, options["port"])
        if dry_run:
            self.report(_would_be_asked(search.places()))
            return
        asked = count(1)
        with self.progress(search.count()) as show:
            found = discover(
                search,
                threads=options["parallel"],
                seconds=options["timeout"],
                account=owner if add else None,
                on_check=lambda: show("Addresses asked", next(asked)),
            )
            self.report(_row(finding) for finding in found)

    def _phones(self, macs: list[str], networks: list[Network]) -> Any:
        if not macs and not networks:
            return Phone.objects.filter(is_active=True)
        known = set(Phone.objects.filter(mac__in=macs).values_list("mac", flat=True))
        if unknown := [colons(mac) for mac in macs if mac not in known]:
            raise CommandError(f"There is no phone {', '.join(unknown)}.")
        return phones_in(networks) | Phone.objects.filter(mac__in=macs)


def _would_be_asked(places: Iterable[Place]) -> Iterator[dict[str, object]]:
    for place in places:
        phone = Phone.objects.filter(pk=place.phone).first() if place.phone else None
        yield {
            "mac": phone.mac_with_colons if phone else "",
            "name": phone.name if phone else "",
            "address": place.address,
            "port": place.port,
            "result": "would be asked",
        }


def _row(finding: DiscoveredPhone) -> dict[str, object]:
    seen, status, phone = finding.seen, finding.seen.status, finding.phone
    return {
        "mac": colons(finding.mac) if finding.mac else "",
        "name": phone.name if phone and finding.mac == phone.mac else "",
        "expected": phone.mac_with_colons if phone else None,
        "account": phone.account.voip_id if phone else None,
        "address": seen.place.address,
        "port": seen.place.port,
        "result": finding.result,
        "model": status.model if status else "",
        "software": status.software if status else "",
        "load": status.load if status else "",
        "serial": status.serial if status else "",
        "in_call": seen.in_call,
        "error": seen.error or _flag(finding),
    }


def _flag(finding: DiscoveredPhone) -> str:
    expected = finding.phone
    if expected is None or expected.mac == finding.mac:
        return ""
    return f"{expected.mac_with_colons} should be there."
