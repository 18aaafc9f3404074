"""`manage.py discover_phones`: which phones are there, what do they run, and are they those of the inventory?"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from contacts_app.accounts.commands import account_numbered
from contacts_app.core.commands import ReportingCommand, UsageError, argument, positive
from contacts_app.core.errors import Refusal
from phones_app.inventory.discovery import Finding, Search, discover, phones_in, search_networks
from phones_app.inventory.models import Phone
from phones_app.inventory.status_check import Place
from profiles_app.phone.sep.mac import colons, parse_mac

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
    columns = {
        "mac": "Phone",
        "name": "Name",
        "address": "Address",
        "result": "Found",
        "model": "Model",
        "load": "Load",
        "in_call": "In a call",
        "error": "Why",
    }
    expected_errors = (*ReportingCommand.expected_errors, Refusal)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("targets", nargs="*", type=argument(target), metavar="NETWORK|MAC")
        parser.add_argument(
            "--add", action="store_true", help="Add phones that nobody knows yet to --account."
        )
        parser.add_argument(
            "--account",
            type=positive(int, at_most=2**63 - 1),
            metavar="VOIP_ID",
            help="Whose phones are looked at, and who gets new ones.",
        )
        parser.add_argument(
            "--port", type=positive(int, at_most=65535), default=80, help="Of phones that nobody knows yet."
        )
        parser.add_argument(
            "--parallel",
            type=positive(int, at_most=MOST_THREADS),
            default=32,
            metavar="N",
            help="Phones asked at the same time (default: %(default)s).",
        )
        parser.add_argument(
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
        owner = account_numbered(account) if account else None
        networks = [one for one in targets if not isinstance(one, str)]
        search_networks(networks)
        phones = self._phones([one for one in targets if isinstance(one, str)], networks)
        search = Search(phones.filter(account=owner) if owner else phones, networks, options["port"])
        if dry_run:
            self.report(_would_be_asked(search.places()))
            return
        with self._bar(search.count()) as advance:
            found = discover(
                search,
                threads=options["parallel"],
                seconds=options["timeout"],
                account=owner if add else None,
                on_look=advance,
            )
            self.report(_row(finding) for finding in found)

    def _phones(self, macs: list[str], networks: list[Network]) -> Any:
        if not macs and not networks:
            return Phone.objects.filter(is_active=True)
        known = set(Phone.objects.filter(mac__in=macs).values_list("mac", flat=True))
        if unknown := [colons(mac) for mac in macs if mac not in known]:
            raise CommandError(f"There is no phone {', '.join(unknown)}.")
        return phones_in(networks) | Phone.objects.filter(mac__in=macs)

    @contextmanager
    def _bar(self, total: int) -> Iterator[Callable[[], None]]:
        """A progress bar for people, and what moves it on."""
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        silent = self.as_json or not sys.stderr.isatty()
        with Progress(*columns, console=Console(stderr=True), disable=silent, transient=True) as progress:
            bar = progress.add_task("Addresses asked", total=total)
            yield lambda: progress.advance(bar)


def _would_be_asked(places: Iterable[Place]) -> Iterator[dict[str, Any]]:
    for place in places:
        phone = Phone.objects.filter(pk=place.phone).first() if place.phone else None
        yield {
            "mac": phone.mac_with_colons if phone else "",
            "name": phone.name if phone else "",
            "address": place.address,
            "port": place.port,
            "result": "would be asked",
        }


def _row(finding: Finding) -> dict[str, Any]:
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


def _flag(finding: Finding) -> str:
    expected = finding.phone
    if expected is None or expected.mac == finding.mac:
        return ""
    return f"{expected.mac_with_colons} should be there."
