"""The menu behind a phone's Services or Directories key, and the directories in it (phone profiles spec §7)."""

from django.urls import path

from contacts_app.accounts.models import Account
from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.inventory.services import clear_service_sessions
from phones_app.mobility import screens
from phones_app.mobility.authentication import LoginRefused, PinMustChange
from phones_app.mobility.pages import pin
from phones_app.mobility.pages.frame import FORM_KEYS, LOGIN_FAILED, UNKNOWN, Ask, for_phones
from phones_app.mobility.phone_login import session_at, takes_part
from phones_app.mobility.screens import FormField, Key
from phones_app.mobility.services import (
    DirectoryLine,
    company_directory,
    live_service_session,
    log_in_on_phone,
    personal_directory,
)

LOGIN_FIELDS = (FormField("User name", "user", "A"), FormField("PIN", "pin", "NP"))
MENU_KEYS = (Key("select"), Key("exit", "Init:Directories"))


@for_phones
def services(ask: Ask) -> screens.Screen:
    """The menu of the top, for phones that are known."""
    if ask.phone is None:
        return UNKNOWN
    session = live_service_session(ask.phone, ask.address)
    person = session.user if session else _mobile_person(ask)
    items = [
        # Behind a menu already, a directory needs no other one.
        ("Personal directory", ask.url("pdir", page="0")),
        ("Company directory", ask.url("cdir", page="0")),
    ]
    if session is not None:
        items += [("Change PIN", ask.url("pin")), ("Log out", ask.url("logout"))]
    if takes_part(ask.phone):
        items.insert(0, ("Extension mobility", ask.url("em")))
    prompt = person.get_full_name() if person else "Choose a directory"
    return screens.menu("Directories", prompt, items, keys=MENU_KEYS)


@for_phones
def personal(ask: Ask) -> screens.Screen:
    """The directory of the person who is logged in on the phone; a login form while nobody is."""
    if ask.phone is None:
        return UNKNOWN
    session = live_service_session(ask.phone, ask.address)
    person = session.user if session else _mobile_person(ask)
    name, typed = ask.sent("user", "userid").strip(), ask.sent("pin", "seq")
    if person is None and name and typed:
        try:
            person = log_in_on_phone(phone=ask.phone, name=name, pin=typed, address=ask.address).user
        except PinMustChange as due:
            return pin.demanded(ask, due.user)
        except LoginRefused:
            again = Key("submit", ask.url("pdir"), "Again")
            return screens.text("Personal directory", LOGIN_FAILED, keys=[again, Key("exit")])
    if person is None:
        return screens.form("Personal directory", "Log in", ask.url("pdir"), LOGIN_FIELDS, keys=FORM_KEYS)
    return _directory(ask, "pdir", "Personal directory", personal_directory(person))


@for_phones
def company(ask: Ask) -> screens.Screen:
    """The account's directory; without a MAC address only where there is one account to be meant."""
    account = ask.phone.account_id if ask.phone else _only_account(ask.address)
    if account is None:
        return UNKNOWN
    return _directory(ask, "cdir", "Company directory", company_directory(account))


@for_phones
def logout(ask: Ask) -> screens.Screen:
    """End the session that was opened from this address."""
    if ask.phone is None:
        return UNKNOWN
    if live_service_session(ask.phone, ask.address):
        clear_service_sessions([ask.phone.mac])
    return screens.text("Log out", "No one is logged in on this phone.", keys=[Key("exit", "Init:Directories")])


def _mobile_person(ask: Ask) -> User | None:
    """Who is logged in on the phone with a profile of their own, where that opens their directory too."""
    session, may_act = session_at(ask.phone, ask.address) if ask.phone else (None, False)
    return session.user if session is not None and may_act else None


def _only_account(address: str) -> int | None:
    """The account of the phone at this address, else the only one there is."""
    phones = Phone.objects.filter(phone_ip=address, account__is_active=True)
    accounts = list(phones.values_list("account_id", flat=True)[:2])
    accounts = accounts or list(Account.objects.filter(is_active=True).values_list("pk", flat=True)[:2])
    return accounts[0] if len(accounts) == 1 else None


def _directory(ask: Ask, view: str, title: str, entries: list[DirectoryLine]) -> screens.Screen:
    """One page of a directory, with keys for the pages around it."""
    text = ask.sent("page")
    if not text and ask.series.directory_menu:
        return screens.menu(title, "", [(title, ask.url(view, page="0"))], keys=MENU_KEYS)
    size = screens.MAX_ENTRIES
    last = max(0, (len(entries) - 1) // size)
    page = min(int(text), last) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    start = page * size
    shown = entries[start : start + size]
    keys = [Key("dial"), Key("edit_dial"), Key("exit")]
    if page < last:
        keys.append(Key("next", ask.url(view, page=str(page + 1))))
    if page:
        keys.append(Key("previous", ask.url(view, page=str(page - 1))))
    prompt = f"{start + 1}-{start + len(shown)} of {len(entries)}" if shown else "No entries"
    return screens.directory(title, prompt, shown, keys=keys)


urlpatterns = [
    path("dir", services, name="phone-services-dir"),
    path("pdir", personal, name="phone-services-pdir"),
    path("cdir", company, name="phone-services-cdir"),
    path("logout", logout, name="phone-services-logout"),
]
