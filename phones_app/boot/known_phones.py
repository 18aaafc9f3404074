"""The phones of the inventory in memory, as far as the file server has to know who asks. `refresh` keeps them in step."""

import sys
from collections.abc import Collection, Iterable
from typing import NamedTuple

from phones_app.boot.addresses import PhonesAtAddresses
from phones_app.inventory.models import Phone

_COLUMNS = ("mac", "pk", "account_id", "model", "location", "phone_ip")


class KnownPhone(NamedTuple):
    key: int
    account: int
    model: str
    location: str
    address: str | None


class KnownPhones:
    """By MAC address, and where they are. One thread writes and others read, one entry at a time."""

    def __init__(self) -> None:
        self.addresses = PhonesAtAddresses(self.account_of)
        self._phones: dict[str, KnownPhone] = {}

    def get(self, mac: str) -> KnownPhone | None:
        return self._phones.get(mac)

    def account_of(self, mac: str) -> int | None:
        return phone.account if (phone := self._phones.get(mac)) is not None else None

    def load(self) -> None:
        self._phones = self._read(Phone.objects.order_by().values_list(*_COLUMNS).iterator())

    def changed(self, keys: Collection[int], macs: Iterable[str]) -> None:
        """The phones with these keys, which have or had these MAC addresses."""
        found = self._read(Phone.objects.filter(pk__in=keys).order_by().values_list(*_COLUMNS))
        for mac in {*macs, *found}:
            before, now = self._phones.get(mac), found.get(mac)
            if before is not None and before.address and (now is None or now.address != before.address):
                self.addresses.expected_elsewhere(before.address, mac)
            if now is not None:
                self._phones[mac] = now
            elif before is not None and before.key in keys:
                del self._phones[mac]

    def _read(self, rows: Iterable[tuple[str, int, int, str, str, str | None]]) -> dict[str, KnownPhone]:
        found = {}
        for mac, key, account, model, location, address in rows:
            # Thousands of phones are of one model, at one place.
            found[mac] = KnownPhone(key, account, sys.intern(model), sys.intern(location), address)
            if address:
                self.addresses.expected(address, mac, account)
        return found
