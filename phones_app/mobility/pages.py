"""`/cisco/services`: what phones ask for, without credentials of the API (phone profiles spec §7)."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from contacts_app.accounts.models import Account
from phones_app.inventory.models import Phone
from phones_app.inventory.services import clear_service_sessions
from phones_app.mobility import screens
from phones_app.mobility.services import (
    Caller,
    DirectoryLine,
    LoginRefused,
    caller,
    company_directory,
    is_phone_address,
    is_push_authorised,
    live_service_session,
    log_in_on_phone,
    personal_directory,
    pushed_phone,
)
from profiles_app.phone.sep.catalogue import parse_mac

# How requests name their phone: our own URLs by its MAC, firmware by the device name that it adds itself.
PHONE_PARAMETERS = ("mac", "device", "devicename", "name")
# One text for a wrong name, a wrong PIN and too many of them, so that guessing tells nothing; 201 is what Cisco's
# extension mobility says.
LOGIN_FAILED = "Login failed (201)"
LOGIN_FIELDS = [("User name", "user", "A"), ("PIN", "pin", "NP")]
View = Callable[[HttpRequest], HttpResponse]
PhoneView = Callable[[HttpRequest, Caller | None], HttpResponse]
P = TypeVar("P")


def sent(request: HttpRequest, name: str) -> str:
    """Older phones submit forms by GET, the 78xx and 88xx by POST (Cisco phones spec §1.6)."""
    return str(request.POST.get(name) or request.GET.get(name) or "")


def address_of(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def named(text: str, find: Callable[[str], P | None]) -> P | None:
    """The phone with this MAC address or device name, any spelling."""
    try:
        return find(parse_mac(text))
    except ValueError:
        return None


def for_phones(view: PhoneView) -> View:
    """Only from the networks of phones; the phone is the one that the request names, if it is known."""

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    def guarded(request: HttpRequest) -> HttpResponse:
        phone = named(next(filter(None, (sent(request, name) for name in PHONE_PARAMETERS)), ""), caller)
        if not is_phone_address(address_of(request), phone):
            return HttpResponse("Forbidden", status=403, content_type="text/plain")
        return view(request, phone)

    return guarded


@require_http_methods(["GET", "HEAD"])
def authenticate(request: HttpRequest) -> HttpResponse:
    """A phone asks whether to obey a push; all but `AUTHORIZED` refuses (Cisco phones spec §1.5)."""
    authorised = is_push_authorised(
        named(request.GET.get("devicename", ""), pushed_phone),
        username=request.GET.get("UserID", ""),
        password=request.GET.get("Password", ""),
        address=address_of(request),
    )
    return HttpResponse("AUTHORIZED" if authorised else "UNAUTHORIZED", content_type="text/plain")


@for_phones
def services(request: HttpRequest, phone: Caller | None) -> HttpResponse:
    """The menu behind the Services or Directories key."""
    if phone is None:
        return _unknown(request)
    items = [("Personal directory", "pdir"), ("Company directory", "cdir")]
    session = live_service_session(phone.mac, address_of(request))
    if session is not None:
        items.append(("Log out", "logout"))
    prompt = session.user.get_full_name() if session else "Choose a directory"
    menu = [(name, _url(request, view, phone)) for name, view in items]
    return _show(request, phone, screens.menu("Directories", prompt, menu))


@for_phones
def personal(request: HttpRequest, phone: Caller | None) -> HttpResponse:
    """The directory of the person who is logged in on the phone; a login form while nobody is."""
    if phone is None:
        return _unknown(request)
    address = address_of(request)
    session, prompt = live_service_session(phone.mac, address), "Log in"
    name, pin = sent(request, "user").strip(), sent(request, "pin")
    if session is None and name and pin:
        try:
            session = log_in_on_phone(phone=phone, name=name, pin=pin, address=address)
        except LoginRefused:
            prompt = LOGIN_FAILED
    if session is None:
        url = _url(request, "pdir", phone)
        return _show(request, phone, screens.form("Personal directory", prompt, url, LOGIN_FIELDS))
    return _directory(request, phone, "pdir", "Personal directory", personal_directory(session.user))


@for_phones
def company(request: HttpRequest, phone: Caller | None) -> HttpResponse:
    """The account's directory; without a MAC address only where there is one account to be meant."""
    account = phone.account_id if phone else _only_account(address_of(request))
    if account is None:
        return _unknown(request)
    return _directory(request, phone, "cdir", "Company directory", company_directory(account))


@for_phones
def logout(request: HttpRequest, phone: Caller | None) -> HttpResponse:
    """End the session that was opened from this address."""
    if phone is None:
        return _unknown(request)
    if live_service_session(phone.mac, address_of(request)):
        clear_service_sessions([phone.mac])
    return _show(request, phone, screens.text("Log out", "No one is logged in on this phone."))


def _only_account(address: str) -> int | None:
    """The account of the phone at this address, else the only one there is."""
    phones = Phone.objects.filter(phone_ip=address, account__is_active=True)
    accounts = list(phones.values_list("account_id", flat=True)[:2])
    accounts = accounts or list(Account.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
    return accounts[0] if len(accounts) == 1 else None


def _directory(
    request: HttpRequest, phone: Caller | None, view: str, title: str, entries: list[DirectoryLine]
) -> HttpResponse:
    """One page of a directory, with a key for the next one."""
    text = sent(request, "page")
    page = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    start = page * screens.MAX_ENTRIES
    shown = entries[start : start + screens.MAX_ENTRIES]
    keys = [("Dial", "SoftKey:Dial"), ("EditDial", "SoftKey:EditDial"), ("Exit", "SoftKey:Exit")]
    if start + len(shown) < len(entries):
        keys.append(("Next", _url(request, view, phone, page=str(page + 1))))
    prompt = f"{start + 1}-{start + len(shown)} of {len(entries)}" if shown else "No entries"
    return _show(request, phone, screens.directory(title, prompt, shown, keys))


def _unknown(request: HttpRequest) -> HttpResponse:
    return _show(request, None, screens.text("Services", "This phone is not known here."))


def _url(request: HttpRequest, view: str, phone: Caller | None, **parameters: str) -> str:
    query = ({"mac": phone.mac} if phone else {}) | parameters
    return request.build_absolute_uri(reverse(f"phone-services-{view}")) + ("?" + urlencode(query) if query else "")


def _show(request: HttpRequest, phone: Caller | None, root: screens.Node) -> HttpResponse:
    model = request.headers.get("x-CiscoIPPhoneModelName") or (phone.model if phone else "")
    return screens.respond(root, model)


urlpatterns = [
    path("authenticate", authenticate, name="phone-services-authenticate"),
    path("dir", services, name="phone-services-dir"),
    path("pdir", personal, name="phone-services-pdir"),
    path("cdir", company, name="phone-services-cdir"),
    path("logout", logout, name="phone-services-logout"),
]
