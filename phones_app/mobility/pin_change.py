"""People change their own PIN: on a phone's screen with the present one, over REST also in a session of theirs.

The PIN is in no log, no history and no URL of ours (mobility spec §5).
"""

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError

from contacts_app.people.models import User
from contacts_app.people.pins import SET_COLUMNS, set_pin
from phones_app.mobility import pins


class WrongPin(Exception):
    """The present PIN is wrong, there is none, or there were too many failures: which of these, no answer tells."""


def confirm(user: User | None, pin: str, *, mac: str = "") -> User:
    """The person whose present PIN this is, counted as a try on this phone. Raises WrongPin."""
    is_tried = pins.may_try(mac=mac, user=user) if mac else user is None or pins.may_try_person(user)
    if not (is_tried and user is not None and user.pin_hash):
        make_password(pin)  # the same work as for a PIN that is checked
        raise WrongPin
    if not user.check_pin(pin):
        raise WrongPin
    pins.succeeded(mac=mac, user=user)
    return user


def change_own_pin(user: User, pin: str) -> None:
    """Whoever asks is the person: that was made sure of. Raises ValidationError for a PIN against the rules."""
    if not pin:
        raise ValidationError({"pin": ["A PIN is needed; staff take one away."]})
    set_pin(user, pin, actor=user.as_actor(""))
    user.save(update_fields=SET_COLUMNS)
