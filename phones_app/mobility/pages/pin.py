"""Changing one's PIN on the screen of a phone, by choice or because it has to be changed (mobility spec §5).

A form never has the PIN in its URL. The answers of older series come as a query all the same, which no log of ours keeps.
"""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.urls import path

from contacts_app.core.actor import acting
from contacts_app.people.models import User
from phones_app.mobility import screens
from phones_app.mobility.authentication import LoginRefused, person_by_pin
from phones_app.mobility.pages.frame import FORM_KEYS, LOGIN_FAILED, UNKNOWN, Ask, for_phones
from phones_app.mobility.phone_login import session_at
from phones_app.mobility.pin_change import change_own_pin
from phones_app.mobility.screens import FormField, Key
from phones_app.mobility.services import live_service_session

TITLE = "Change PIN"
FIELDS = (FormField("Present PIN", "pin", "NP"), FormField("New PIN", "new", "NP"), FormField("Again", "again", "NP"))
NAME = FormField("User name", "user", "A")


def demanded(ask: Ask, user: User) -> screens.Screen:
    """What is shown instead of whatever the PIN was for, until the person has changed it."""
    return screens.form("Choose another PIN", "Your PIN has to be changed", _url(ask, user), FIELDS, keys=FORM_KEYS)


@for_phones
def change(ask: Ask) -> screens.Screen:
    """For the person who is logged in on the phone, for the one whose PIN has to be changed, and for others by name."""
    if ask.phone is None:
        return UNKNOWN
    user, present = _person(ask, ask.phone.account_id), ask.sent("pin", "seq")
    if not present:
        fields = FIELDS if user else (NAME, *FIELDS)
        return screens.form(TITLE, "", _url(ask, user), fields, keys=FORM_KEYS)
    name = user.email if user else ask.sent("user", "userid").strip()
    try:
        user = person_by_pin(account=ask.phone.account_id, mac=ask.phone.mac, name=name, pin=present)
    except LoginRefused:
        return _told(ask, None, LOGIN_FAILED)
    if trouble := changed(ask, user):
        return _told(ask, user, trouble)
    return screens.text(TITLE, "Your PIN is changed.", keys=[Key("exit", "Init:Services")])


def changed(ask: Ask, user: User) -> str:
    """Why the PIN that was typed twice is not the person's now; "" when it is. The present one was right."""
    new = ask.sent("new")
    if new != ask.sent("again"):
        return "The two new PINs are not the same."
    try:
        with acting(user.as_actor("phone"), reason="Changed on a phone"):
            change_own_pin(user, new)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _person(ask: Ask, account: int) -> User | None:
    if ask.phone is not None:
        session = live_service_session(ask.phone, ask.address)
        mobile, may_act = session_at(ask.phone, ask.address)
        if session is not None:
            return session.user
        if mobile is not None and may_act:
            return mobile.user
    try:
        return User.objects.filter(uuid=UUID(ask.sent("person")), account=account, is_active=True).first()
    except ValueError:
        return None


def _url(ask: Ask, user: User | None) -> str:
    return ask.url("pin", **({"person": str(user.uuid)} if user else {}))


def _told(ask: Ask, user: User | None, words: str) -> screens.Screen:
    return screens.text(TITLE, words, keys=[Key("submit", _url(ask, user), "Again"), Key("exit")])


urlpatterns = [path("pin", change, name="phone-services-pin")]
