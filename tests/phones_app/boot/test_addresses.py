"""What is remembered of phones and addresses, however many are made up."""

from phones_app.boot import addresses
from phones_app.boot.addresses import PhonesAtAddresses


def test_made_up_phones_take_no_more_memory_than_so_much(monkeypatch):
    monkeypatch.setattr(addresses, "MOST_ADDRESSES", 10)
    phones = PhonesAtAddresses()
    for number in range(100):
        phones.named("192.0.2.1", f"{number:012X}", float(number))
    places = [phones.place_of(f"{number:012X}") for number in range(100)]
    assert places == [None] * 90 + ["192.0.2.1"] * 10
