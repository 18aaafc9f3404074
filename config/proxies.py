"""Who really asks, behind proxies: the address in `X-Forwarded-For`, believed of proxies in `TRUSTED_PROXIES` alone.

The middleware puts it where everything reads it, in `REMOTE_ADDR`: networks of tokens, throttled log-ins, phones' pages,
logs, and what is kept of log-ins.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from contacts_app.core.net.wire import Address, Networks

GetResponse = Callable[[HttpRequest], HttpResponse]

# Phones that come from Cisco's call manager keep its URL for the log-in.
PHONE_PAGES = ("/cisco/services/", "/emapp/")
# A request that has one of these has passed a proxy.
PASSED_ON = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
# Set in the request where the address is the last proxy's, and that of its client is not known.
UNKNOWN = "patchbay.unknown_client"


class Client(NamedTuple):
    """`is_known`: the address is the client's own, not that of a proxy in between."""

    address: str
    is_known: bool
    by_trusted: bool


def parsed(text: str) -> Address | None:
    """An address as proxies write it, with a port or without; None for anything else, as `unknown`."""
    text = text.strip()
    host, bracket, _ = text.removeprefix("[").partition("]")
    if not bracket and text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(maxsize=4096)
def client_of(peer: str, forwarded_for: str, trusted: str) -> Client:
    """Whose request it is that came from `peer`.

    Each proxy adds the address that it was asked from at the end. So the list is read from there, as long as those who
    wrote it are trusted: what stands further in front was written by the client itself.
    """
    address, networks = parsed(peer), Networks.parse(trusted).networks
    if address is None or not any(address in network for network in networks):
        return Client(str(address or peer), True, False)
    for text in reversed(forwarded_for.split(",") if forwarded_for else []):
        before = parsed(text)
        if before is None:
            return Client(str(address), False, True)
        address = before
        if not any(address in network for network in networks):
            return Client(str(address), True, True)
    # Somebody within the trusted networks; without a list only the proxy itself is known.
    return Client(str(address), bool(forwarded_for), True)


def see_through_proxies(get_response: GetResponse) -> GetResponse:
    """Take the client's address from trusted proxies, and refuse phones' pages where it is not known.

    A phone is known by its address, so everybody behind an unknown proxy would be the same phone.
    """

    Networks.parse(settings.TRUSTED_PROXIES)  # so that a wrong one is told when the server starts

    def middleware(request: HttpRequest) -> HttpResponse:
        meta = request.META
        client = client_of(meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", ""), settings.TRUSTED_PROXIES)
        meta["REMOTE_ADDR"] = client.address
        if not client.is_known or (not client.by_trusted and any(name in meta for name in PASSED_ON)):
            meta[UNKNOWN] = True
            if request.path.startswith(PHONE_PAGES):
                return HttpResponse("Forbidden: unknown proxy", status=403, content_type="text/plain")
        if settings.TRUSTED_PROXIES and not client.by_trusted:
            meta.pop("HTTP_X_FORWARDED_PROTO", None)
        return get_response(request)

    return middleware


def address_of(request: HttpRequest) -> str:
    """For django-axes, which would otherwise ask a library that reads headers of its own choice."""
    return str(request.META.get("REMOTE_ADDR", ""))
