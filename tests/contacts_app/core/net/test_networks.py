"""Which addresses may be spoken to."""

import socket

import pytest

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import Networks

PHONES = Networks.parse("127.0.0.0/8, ::1/128, 10.0.0.0/8, fd00::/8")
NONE = Networks.parse("")

SPECIAL = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "192.0.2.1",
    "224.0.0.1",
    "233.252.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::1",
    "2001:db8::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", SPECIAL)
def test_a_special_address_is_refused_unless_named(address: str) -> None:
    assert not NONE.allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "193.0.6.139", "2606:4700::1111", "2a00:1450::1"])
def test_a_public_address_is_allowed(address: str) -> None:
    assert NONE.allows(address)


@pytest.mark.parametrize("address", ["127.8.9.1", "::1", "10.255.0.1", "fd12::1", "::ffff:10.0.0.1"])
def test_a_named_network_is_allowed(address: str) -> None:
    assert PHONES.allows(address)


@pytest.mark.parametrize("address", ["192.168.1.1", "::ffff:192.168.1.1", "::ffff:8.8.8.8", "fe80::1"])
def test_naming_some_networks_allows_no_others(address: str) -> None:
    assert not PHONES.allows(address)


@pytest.mark.parametrize("text", ["", "phone.example", "10.0.0", "10.0.0.1/8", "127.0.0.1:80"])
def test_what_is_no_address_is_not_allowed(text: str) -> None:
    assert not PHONES.allows(text)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "phones", "10.0.0.0/8 11.0.0.0/8"])
def test_a_bad_network_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=text.split("/", maxsplit=1)[0]):
        Networks.parse(f"127.0.0.0/8, {text}")


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433"])
def test_every_spelling_of_a_host_resolves_to_a_checked_address(host: str) -> None:
    assert PHONES.resolve(host, 21) == "127.0.0.1"
    with pytest.raises(TransportError) as refusal:
        NONE.resolve(host, 21)
    assert (refusal.value.code, refusal.value.permanent) == ("outside-networks", True)


def test_one_forbidden_answer_of_the_dns_forbids_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fd00::1", 21, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 21)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(TransportError, match="fd00::1"):
        NONE.resolve("both.example", 21)
    assert PHONES.candidates("both.example", 21) == ["8.8.8.8", "fd00::1"]


@pytest.mark.parametrize("host", ["", "a" * 70, "nul\0.example"])
def test_a_name_that_cannot_be_resolved_is_a_transport_error(host: str) -> None:
    with pytest.raises(TransportError) as failure:
        PHONES.resolve(host, 21)
    assert failure.value.code == "unresolved"


def test_a_refused_address_is_named_once() -> None:
    with pytest.raises(TransportError, match=r"^192\.0\.2\.1 is neither public nor in one of the allowed networks$"):
        NONE.candidates("192.0.2.1", 80)
