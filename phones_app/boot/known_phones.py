"""The phones of the inventory in memory, as far as the file server has to know who asks. `refresh` keeps them in step."""

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from ipaddress import ip_address
from typing import NamedTuple

from phones_app.boot.addresses import PhonesAtAddresses, plain
from phones_app.inventory.models import Phone

_COLUMNS = ("mac", "pk", "account_id", "model", "location", "phone_ip")


class KnownPhone(NamedTuple):
    key: int
    account: int
    model: str
    location: str
    address: str | None


# Of an account and a location.
Networks = defaultdict[tuple[int, str], set[str]]


class KnownPhones:
    """By MAC address, and where they are. One thread writes and others read, one entry at a time."""

    def __init__(self) -> None:
        self.addresses = PhonesAtAddresses(self.account_of)
        self._phones: dict[str, KnownPhone] = {}
        self._networks: Networks = defaultdict(set)

    def get(self, mac: str) -> KnownPhone | None:
        return self._phones.get(mac)

    def account_of(self, mac: str) -> int | None:
        return phone.account if (phone := self._phones.get(mac)) is not None else None

    def named(self, mac: str, address: str, at: float) -> None:
        """It asked there for a file of its own."""
        self.addresses.named(address, mac, at)
        if (phone := self._phones.get(mac)) is not None and phone.location:
            self._networks[phone.account, phone.location.lower()].add(network_of(plain(address)))

    def refusal(self, mac: str, address: str) -> str:
        """Why a file of this phone is not to be given there; "": it may be.

        It may be given where the phone was last, by its own requests or by the inventory, in that network, and in those
        of the phones at its location. Of a phone that was nowhere yet, nothing says that it is not there.
        """
        phone = self._phones.get(mac)
        if phone is None:
            return ""
        networks = {network_of(plain(one)) for one in (self.addresses.place_of(mac), phone.address) if one}
        networks |= self._networks.get((phone.account, phone.location.lower()), set())
        if not networks or network_of(plain(address)) in networks:
            return ""
        return f"Asked for at {plain(address)}, where neither the phone nor another one of its location was."

    def load(self) -> None:
        """All of them; until that is done what was known before counts, and where phones have asked stays known."""
        networks: Networks = defaultdict(set)
        self._phones = self._read(Phone.objects.order_by().values_list(*_COLUMNS).iterator(), networks)
        self._networks = networks

    def changed(self, keys: Collection[int], macs: Iterable[str]) -> None:
        """The phones with these keys, which have or had these MAC addresses."""
        found = self._read(Phone.objects.filter(pk__in=keys).order_by().values_list(*_COLUMNS), self._networks)
        for mac in {*macs, *found}:
            before, now = self._phones.get(mac), found.get(mac)
            if before is not None and before.address and (now is None or now.address != before.address):
                self.addresses.expected_elsewhere(before.address, mac)
            if now is not None:
                self._phones[mac] = now
            elif before is not None and before.key in keys:
                del self._phones[mac]

    def _read(
        self, rows: Iterable[tuple[str, int, int, str, str, str | None]], networks: Networks
    ) -> dict[str, KnownPhone]:
        found = {}
        for mac, key, account, model, location, address in rows:
            # Thousands of phones are of one model, at one place.
            found[mac] = KnownPhone(key, account, sys.intern(model), sys.intern(location), address)
            if address:
                self.addresses.expected(address, mac, account)
            places = filter(None, (address, self.addresses.place_of(mac))) if location else ()
            for place in places:
                networks[account, location.lower()].add(network_of(plain(place)))
        return found


def network_of(address: str) -> str:
    """The network that an address is in as networks of phones usually are: a /24, of IPv6 a /64."""
    if ":" not in address:
        return address.rpartition(".")[0]
    try:
        return f"{int(ip_address(address.partition('%')[0])) >> 64:x}::"
    except ValueError:
        return address
