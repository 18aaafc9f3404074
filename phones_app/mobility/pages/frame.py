"""What all pages of phones share: who asks, and how a screen is sent (mobility spec §1, §4)."""

import logging
from collections.abc import Callable
from functools import cache
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from contacts_app.core.errors import Refusal
from phones_app.mobility import screens
from phones_app.mobility.screens import Key
from phones_app.mobility.series import Series, charsets_of, parse_choices, series_of
from phones_app.mobility.services import Caller, caller, is_phone_address
from profiles_app.phone.sep.catalogue import parse_mac

log = logging.getLogger(__name__)

# How requests name their phone: our own URLs by its MAC, firmware by the device name that it adds by itself.
PHONE_PARAMETERS = ("mac", "device", "devicename", "name")
# A phone keeps a page that is over already off its way back, so that a form is not sent twice. Not 1970 or before.
PAST = "Fri, 01 Jan 1999 00:00:00 GMT"
UNKNOWN = screens.text("Services", "This phone is not known here.")
BROKEN = screens.text("Services", "This did not work. Please try again.")
# Read here, so that a wrong setting is told when the server starts.
parse_choices(settings.PHONE_SERIES)


class Ask(NamedTuple):
    """A request of a phone. `mac` is the one that it names, of unknown phones too and "" where it names none."""

    request: HttpRequest
    phone: Caller | None
    mac: str
    address: str
    series: Series

    def sent(self, *names: str) -> str:
        """The first of these parameters that has a value: forms come by GET or POST, whatever we asked for."""
        return next(filter(None, (sent(self.request, name) for name in names)), "")

    def url(self, view: str, **parameters: str) -> str:
        """The absolute URL of a page of phones for this phone. The view's name goes without `phone-services-`."""
        query = ({"mac": self.mac} if self.mac else {}) | parameters
        path = _path(view, get_script_prefix())
        return self.request.build_absolute_uri(path + ("?" + urlencode(query) if query else ""))


@cache
def _path(view: str, prefix: str) -> str:
    """Below the prefix that the request came with. A menu names several, and looking one up takes as long as a link."""
    return reverse(f"phone-services-{view}")


PhoneView = Callable[[Ask], screens.Screen]
View = Callable[[HttpRequest], HttpResponse]
# The answer to whoever is not to see a page; None: it may be seen.
Refuses = Callable[[Ask], HttpResponse | None]
# One text for a wrong name, a wrong PIN and too many of them, so that guessing tells nothing; 201 is what Cisco's
# extension mobility says.
LOGIN_FAILED = "Login failed (201)"
FORM_KEYS = (Key("submit"), Key("erase"), Key("exit"))


def sent(request: HttpRequest, name: str) -> str:
    return str(request.POST.get(name) or request.GET.get(name) or "")


def address_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def mac_in(text: str) -> str:
    """The MAC address in a parameter, any spelling; "" where there is none.

    Some phones append `?locale=…&name=…` whatever the URL ends with.
    """
    try:
        return parse_mac(text.partition("?")[0])
    except ValueError:
        return ""


def outside(ask: Ask) -> HttpResponse | None:
    if is_phone_address(ask.address, ask.phone):
        return None
    return HttpResponse("Forbidden", status=403, content_type="text/plain")


def for_phones(view: PhoneView, refuses: Refuses = outside) -> View:
    """Only from the networks of phones. What fails is told as a text: of a 4xx or 5xx a phone shows only the number."""

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            ask = asked(request)
            return refuses(ask) or respond(request, ask.series, shown(view, ask))
        except Exception:
            # Without the query, which may have a PIN in it.
            log.exception("a page for phones has failed: %s", request.path)
            return respond(request, series_of(_model_of(request)), BROKEN)

    return guarded


def shown(view: PhoneView, ask: Ask) -> screens.Screen:
    """What the view shows; where it is refused, why."""
    try:
        return view(ask)
    except Refusal as refusal:
        return screens.text("Services", refusal.message, keys=[Key("exit")])


def asked(request: HttpRequest) -> Ask:
    mac = next(filter(None, (mac_in(sent(request, name)) for name in PHONE_PARAMETERS)), "")
    phone = caller(mac) if mac else None
    model = _model_of(request) or (phone.model if phone else "")
    return Ask(request, phone, mac, address_of(request), series_of(model, settings.PHONE_SERIES))


def respond(request: HttpRequest, series: Series, screen: screens.Screen) -> HttpResponse:
    content, charset = screen.encoded(series, charsets_of(request.headers.get("Accept-Charset", "")[:200]))
    response = HttpResponse(content, content_type=f"text/xml; charset={charset}")
    if screen.refresh is not None:
        response.headers["Refresh"] = f"{screen.refresh.seconds}; url={screen.refresh.url}"
    if screen.is_form:
        response.headers["Expires"] = PAST
    return response


def _model_of(request: HttpRequest) -> str:
    return request.headers.get("x-CiscoIPPhoneModelName", "")[:40]
