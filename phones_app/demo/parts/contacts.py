"""Notification contacts beside the main one. They get mail of what happens, such as the token of the events' part."""

from contacts_app.accounts.models import Account
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.contacts.services import set_wanted_types, types
from phones_app.demo.parts.base import DemoPart, Scene, ever_had

PORTER, OFFICE = "night.porter@harbour-hotel.example", "facilities@harbour-hotel.example"


def _was_made(account: Account) -> bool:
    return ever_had(NotificationContact, account_id=account.pk, email=PORTER)


def _make(scene: Scene) -> None:
    porter = NotificationContact.objects.create(
        account=scene.account, email=PORTER, name="Night porter", phone="+12025550104"
    )
    NotificationContact.objects.create(account=scene.account, email=OFFICE, name="Facilities")
    set_wanted_types(porter, types())


PART = DemoPart("contacts", _was_made, _make)
