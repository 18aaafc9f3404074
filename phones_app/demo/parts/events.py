"""An event profile with a callback at the demo's own receiver, and first events that are delivered there."""

from contacts_app.accounts.models import Account
from contacts_app.core.history.records import create_recorded
from contacts_app.tokens.services import create_token, revoke_token
from phones_app.demo.parts.base import DemoPart, Scene, ever_had
from profiles_app.events.callback_changes import planned_callback, store_callback
from profiles_app.events.listener_changes import create_listener
from profiles_app.events.models.setup import Callback, EventProfile, Level, Subscription

NAME = "Demo receiver"
# An event that bears one of these is delivered.
TAGS = ("api-token", "deployment", "phone-profile", "test-event")


def _was_made(account: Account) -> bool:
    return ever_had(EventProfile, account_id=account.pk, name="Night desk")


def _make(scene: Scene) -> None:
    level = Level(scene.account)
    [profile] = create_recorded([EventProfile(account=scene.account, name="Night desk", support_email=None)])
    given = {"name": NAME, "config": {"url": scene.receiver}, "profile_id": profile.pk}
    # The web server that answers there is not started yet, so the address is not asked.
    callback = store_callback(planned_callback(level=level, given=given))
    listener = create_listener(level=level, given={"callback_id": callback.pk})
    create_recorded(Subscription(listener=listener, tags=[tag]) for tag in TAGS)
    # Events that everybody understands, and nobody has the token.
    token, _ = create_token(account=scene.account, name="Booking system")
    revoke_token(token)


def follow(scene: Scene) -> None:
    """Have the callback lead to the portal's present address, unless people have changed it."""
    for callback in Callback.objects.filter(account=scene.account, name=NAME):
        if scene.has_moved(str(callback.config.get("url", ""))):
            callback.config = callback.config | {"url": scene.receiver}
            callback.save()


PART = DemoPart("events", _was_made, _make)
