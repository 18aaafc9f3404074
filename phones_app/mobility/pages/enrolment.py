"""`/cisco/services/enrol`: what a phone shows that is still to be enrolled (mobility spec §6).

Only in the networks of ENROLMENT_NETWORKS is there such a page. Everything is kept on the server, by MAC and IP address.
"""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.http import HttpResponse
from django.urls import path

from contacts_app.core.actor import Actor, acting
from contacts_app.core.errors import Refusal
from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.mobility import enrolment, screens
from phones_app.mobility.authentication import EXTENSION, LoginRefused, person_by_pin
from phones_app.mobility.enrolment_file import account_at, enrols_at, may_enrol, parse_networks
from phones_app.mobility.following import IN_PLACE, MISSED, OPEN, REJECTED, TAKEN, standing
from phones_app.mobility.models import EnrolmentRequest
from phones_app.mobility.pages import pin
from phones_app.mobility.pages.frame import FORM_KEYS, LOGIN_FAILED, Ask, for_phones
from phones_app.mobility.replacement import Handset, preview
from phones_app.mobility.screens import FormField, Key, Refresh
from phones_app.mobility.tickets import Purpose, person_of, ticket_for
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import find

TITLE = "Enrol this phone"
WRONG_CODE = "This code is not good."
PERSON = (FormField("Extension", "user", "T"), FormField("PIN", "pin", "NP"))
CODE = (FormField("Activation code", "code", "N"),)
TOP_KEYS = (Key("select"), Key("exit", "Init:Services"))
LOOK_AGAIN_SECONDS = 5
# By how the newest deployment of the new phone stands.
SET_UP = {
    OPEN: "This phone is being set up, and restarts in a moment.",
    TAKEN: "This phone is enrolled.",
    IN_PLACE: "The file is there. Restart this phone to finish.",
    REJECTED: "This phone has rejected its file. An administrator can see why.",
    MISSED: "The file of this phone was not stored. An administrator can see why, and deploy it again.",
}
# Read here, so that a wrong setting is told when the server starts.
parse_networks(settings.ENROLMENT_NETWORKS)


def elsewhere(ask: Ask) -> HttpResponse | None:
    """There is no such page for strangers."""
    if enrols_at(ask.address) is not None:
        return None
    return HttpResponse("Not found", status=404, content_type="text/plain")


for_new_phones = partial(for_phones, refuses=elsewhere)


def _handset(ask: Ask) -> Handset:
    device = find(ask.request.headers.get("x-CiscoIPPhoneModelName", "")[:64])
    return Handset(ask.mac, device.model if device else "", ask.address.removeprefix("::ffff:"))


def _asked_for(ask: Ask) -> EnrolmentRequest | None:
    """What was asked for at this phone, where it is known now or waits to be."""
    requests = EnrolmentRequest.objects.filter(mac=ask.mac, address=_handset(ask).address)
    return requests.select_related("phone__last_deployment__deployment").order_by("-created_at", "-pk").first()


def _closed(ask: Ask) -> screens.Screen | None:
    """What is shown instead of the forms; None: the phone may enrol."""
    if not ask.mac:
        return screens.text(TITLE, "This phone does not say which one it is.")
    if not may_enrol([ask.mac]):
        return _state(ask) if _asked_for(ask) else screens.text(TITLE, "This phone is in use already.")
    request = _asked_for(ask)
    if request is not None and request.state == EnrolmentRequest.State.WAITING:
        return _state(ask)
    if not enrolment.fetched_lately(ask.mac, ask.address):
        return screens.text(TITLE, "This phone has not asked for its file here. Restart it, and try again.")
    return None


@for_new_phones
def top(ask: Ask) -> screens.Screen:
    """The three ways in."""
    items = [
        ("Extension and PIN", ask.url("enrol-person")),
        ("Activation code", ask.url("enrol-code")),
        ("Replace one of my phones", ask.url("enrol-person", replace="1")),
    ]
    return _closed(ask) or screens.menu(TITLE, "How?", items, keys=TOP_KEYS)


@for_new_phones
def person(ask: Ask) -> screens.Screen:
    """Extension and PIN, then what the person may choose between."""
    if closed := _closed(ask):
        return closed
    replaces = {"replace": "1"} if ask.sent("replace") else {}
    number, typed = ask.sent("user", "userid").strip(), ask.sent("pin", "seq")
    if not (number and typed):
        return screens.form(TITLE, "Who are you?", ask.url("enrol-person", **replaces), PERSON, keys=FORM_KEYS)
    try:
        account = account_at(ask.address)
        user = person_by_pin(account=account.pk if account else None, mac=ask.mac, name=number, pin=typed, by=EXTENSION)
    except LoginRefused:
        return _told(ask, LOGIN_FAILED)
    if user.pin_must_change:
        url = ask.url("enrol-person", user=number, **replaces)
        if not ask.sent("new"):
            return screens.form("Choose another PIN", "Your PIN has to be changed", url, pin.FIELDS, keys=FORM_KEYS)
        if trouble := pin.changed(ask, user):
            return screens.text(TITLE, trouble, keys=[Key("submit", url, "Again"), Key("exit")])
    return _phones(ask, user) if replaces else _profiles(ask, user)


def _profiles(ask: Ask, user: User) -> screens.Screen:
    """The person's profiles for this model; one is not chosen from."""
    assert user.account is not None, "a person at a phone has an account"  # noqa: S101
    fitting = enrolment.profiles_at(user, _handset(ask), user.account)
    if not fitting:
        return _told(ask, "You have no phone profile for this model.")
    if len(fitting) == 1:
        return _enrol(ask, user=user, profile=fitting[0])
    ticket = ticket_for(user, Purpose.ENROL, mac=ask.mac, address=ask.address)
    items = [(one.name, ask.url("enrol-choice", t=ticket, profile=str(one.pk))) for one in fitting]
    return screens.menu(TITLE, "Which profile?", items, keys=TOP_KEYS)


def _phones(ask: Ask, user: User) -> screens.Screen:
    phones, ticket = enrolment.phones_of(user), ticket_for(user, Purpose.ENROL, mac=ask.mac, address=ask.address)
    if not phones:
        return _told(ask, "There is no phone of yours to replace.")
    items = [
        (
            f"{one.name or one.mac_with_colons} ({one.model or 'phone'})",
            ask.url("enrol-choice", t=ticket, phone=str(one.pk)),
        )
        for one in phones
    ]
    return screens.menu("Replace which phone?", "", items, keys=TOP_KEYS)


@for_new_phones
def choice(ask: Ask) -> screens.Screen:
    """A profile or a phone was chosen, by the person of the ticket."""
    if closed := _closed(ask):
        return closed
    user = person_of(ask.sent("t"), Purpose.ENROL, mac=ask.mac, address=ask.address)
    if user is None:
        return _told(ask, "That took too long. Please start again.")
    key = ask.sent("profile", "phone")
    number = int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else 0
    if ask.sent("profile"):
        profile = PhoneProfile.objects.filter(pk=number, user=user).first()
        return _enrol(ask, user=user, profile=profile) if profile else _told(ask, "This profile is gone.")
    phone = next((one for one in enrolment.phones_of(user) if one.pk == number), None)
    if phone is None:
        return _told(ask, "This phone is gone.")
    lacks = preview(phone, _handset(ask)).lacks
    if lacks and not ask.sent("yes"):
        words = f"This model has no place for: {'; '.join(lacks)}. They stay stored."
        url = ask.url("enrol-choice", t=ask.sent("t"), phone=key, yes="1")
        return screens.text(TITLE, words, keys=[Key("submit", url, "Replace"), Key("exit")])
    return _enrol(ask, user=user, replaces=phone)


@for_new_phones
def code(ask: Ask) -> screens.Screen:
    if closed := _closed(ask):
        return closed
    typed = ask.sent("code")
    if not typed:
        return screens.form(TITLE, "16 digits", ask.url("enrol-code"), CODE, keys=FORM_KEYS)
    network = enrols_at(ask.address)
    account = account_at(ask.address) if network and network.account is not None else None
    try:
        found = enrolment.usable_code(typed, mac=ask.mac, account=account)
    except enrolment.CodeRefused:
        return _told(ask, WRONG_CODE)
    actor = Actor(str(found), "phone", account=found.account)
    with acting(actor):
        return _done(ask, lambda: enrolment.ask_for(_handset(ask), code=found))


def _enrol(
    ask: Ask, *, user: User, profile: PhoneProfile | None = None, replaces: Phone | None = None
) -> screens.Screen:
    with acting(user.as_actor("phone")):
        return _done(ask, lambda: enrolment.ask_for(_handset(ask), user=user, profile=profile, replaces=replaces))


def _done(ask: Ask, act: Callable[[], EnrolmentRequest]) -> screens.Screen:
    try:
        act()
    except Refusal as refusal:
        return _told(ask, refusal.message)
    return _state(ask)


@for_new_phones
def status(ask: Ask) -> screens.Screen:
    return _state(ask)


def _state(ask: Ask) -> screens.Screen:
    """How it stands, looked at again until it is over. A restart of the phone ends the page."""
    request = _asked_for(ask)
    if request is None:
        return _told(ask, "Nothing was asked for at this phone.")
    again = Refresh(LOOK_AGAIN_SECONDS, ask.url("enrol-status"))
    if request.state == EnrolmentRequest.State.WAITING:
        return screens.text(TITLE, "This phone waits for the approval of an administrator.", refresh=again)
    if request.state == EnrolmentRequest.State.REFUSED:
        return _told(ask, f"This phone was refused. {request.reason}".strip())
    # Staff may have deployed again since. One that was pruned is long over.
    last = getattr(request.phone, "last_deployment", None)
    stands = standing(last.deployment) if last else TAKEN
    if stands == TAKEN:
        return screens.text(TITLE, SET_UP[stands], keys=[Key("exit", "Init:Services")])
    return screens.text(TITLE, SET_UP[stands], refresh=again)


def _told(ask: Ask, words: str) -> screens.Screen:
    return screens.text(TITLE, words, keys=[Key("submit", ask.url("enrol"), "Again"), Key("exit", "Init:Services")])


urlpatterns = [
    path("enrol", top, name="phone-services-enrol"),
    path("enrol/person", person, name="phone-services-enrol-person"),
    path("enrol/code", code, name="phone-services-enrol-code"),
    path("enrol/choice", choice, name="phone-services-enrol-choice"),
    path("enrol/status", status, name="phone-services-enrol-status"),
]
