"""People change their own PIN: on a phone's screen with the present one, over REST also in a session of theirs.

The PIN is in no log, no history and no URL of ours (mobility spec §5).
"""

from django.core.exceptions import ValidationError

from contacts_app.people.models import User
from contacts_app.people.pins import SET_COLUMNS, set_pin


def change_own_pin(user: User, pin: str) -> None:
    """Whoever asks is the person: that was made sure of. Raises ValidationError for a PIN against the rules."""
    if not pin:
        raise ValidationError({"pin": ["A PIN is needed; staff take one away."]})
    set_pin(user, pin, actor=user.as_actor(""))
    user.save(update_fields=SET_COLUMNS)
