"""Notification contacts for admin, REST, CSV and the links in mails: the rules of main contacts (notification contacts
spec §4), and what each contact has chosen to be notified of.

The link to unsubscribe works without a login, for ever, and for its contact and its kind of mail alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import AccountColumn, save_account
from contacts_app.contacts.models.contact import (
    NotificationContact,
    NotificationPreference,
    NotificationType,
    event_classes,
    is_told_by_default,
    label_of,
)
from contacts_app.contacts.notification import tell_of_what_lasts
from contacts_app.core.csv.columns import Column, FieldColumn, UuidColumn
from contacts_app.core.csv.format import CsvFormat
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import upsert_recorded


def main_contact_follows(account: Account) -> None:
    """Make the main contact of a new account; give that of another one the account's new email.

    Nothing else touches that contact's email when an account is saved: it may have been edited on purpose.
    """
    NotificationContact.objects.update_or_create(
        account=account,
        main=True,
        defaults={"email": account.email},
        create_defaults={"email": account.email, "name": account.name},
    )


@transaction.atomic
def make_main(contact: NotificationContact) -> None:
    """Make this the account's main contact. The account's email becomes the contact's: the two stay the same.

    Raises Refusal when the contact's email would not do as an account's.
    """
    account = Account.objects.select_for_update().get(pk=contact.account_id)
    account.email = contact.email
    try:
        account.clean_fields(exclude=[field.name for field in Account._meta.fields if field.name != "email"])
    except ValidationError:
        raise Refusal("unfit-address", f"{contact.email} will not do as the email of an account.") from None
    for former in account.notification_contacts.filter(main=True).exclude(pk=contact.pk):
        former.main = False
        former.save(update_fields=["main", "updated_at"])
    contact.main = True
    contact.save(update_fields=["main", "updated_at"])
    save_account(account)


@transaction.atomic
def delete_contact(contact: NotificationContact) -> None:
    """Delete a contact with its preferences. Raises Refusal for the main one."""
    present = NotificationContact.objects.select_for_update().filter(pk=contact.pk).first()
    if present is None:
        return
    if present.main:
        raise Refusal("main-contact", "The main contact cannot be deleted.")
    present.delete()


def types() -> list[str]:
    return [*event_classes, *NotificationType.values]


@transaction.atomic
def set_preferences(preferences: Iterable[NotificationPreference]) -> None:
    """Store decisions, over earlier ones about the same. Of several about the same the last counts.

    Who decides to be told hears of what does not work at present, too.
    """
    last = {(row.contact_id, row.type, row.medium): row for row in preferences}
    upsert_recorded(last.values(), unique=["contact", "type", "medium"], fields=["value", "updated_at"])
    wanting: dict[str, list[int]] = defaultdict(list)
    for row in last.values():
        if row.value and row.type in event_classes and event_classes[row.type].over:
            wanting[row.type].append(row.contact_id)
    for type_, contacts in wanting.items():
        tell_of_what_lasts(contacts, event_classes[type_])


def wanted_types(contact: NotificationContact) -> list[str]:
    """The types that the contact is notified of."""
    decided = {row.type: row.value for row in contact.preferences.all()}
    return [type_ for type_ in types() if decided.get(type_, is_told_by_default(type_))]


@transaction.atomic
def set_wanted_types(contact: NotificationContact, wanted: Iterable[str]) -> None:
    """Exactly these types; a row is written only where the decision differs from the present one."""
    chosen, present = set(wanted), set(wanted_types(contact))
    set_preferences(
        NotificationPreference(contact=contact, type=type_, value=type_ in chosen)
        for type_ in types()
        if (type_ in chosen) != (type_ in present)
    )


class MailSubscription(NamedTuple):
    """What a link is about."""

    contact: NotificationContact
    about: str

    @property
    def label(self) -> str:
        return label_of(self.about)

    @property
    def address(self) -> str:
        """Enough for its owner to know it, and too little for a person to whom a mail was forwarded."""
        name, _, domain = self.contact.email.partition("@")
        return f"{name[:1]}…@{domain}"


def unsubscribe_url(contact: NotificationContact, about: str) -> str:
    # In the query, because that is cut from logs.
    token = _signer(contact).sign(f"{contact.uuid.hex}:{about}")
    return f"{settings.PUBLIC_URL}{reverse('unsubscribe')}?{urlencode({'token': token})}"


def read_token(token: str) -> MailSubscription | None:
    """What the token of a link is about; None for anything that we have not signed."""
    try:
        contact = NotificationContact.objects.get(uuid=UUID(hex=token.partition(":")[0]))
        return MailSubscription(contact, _signer(contact).unsign(token).rpartition(":")[2])
    except (ValueError, NotificationContact.DoesNotExist, BadSignature):
        return None


def set_subscribed(subscription: MailSubscription, *, told: bool) -> None:
    contact, about = subscription
    set_preferences([NotificationPreference(contact=contact, type=about, value=told)])


def _signer(contact: NotificationContact) -> Signer:
    # The address is part of the salt: who had the contact's mailbox earlier has no say about the present one.
    return Signer(salt=f"contacts_app.unsubscribe:{contact.email}")


class ContactCsv(CsvFormat):
    kind, thing = "contacts", "contact"
    model = NotificationContact
    keys = (("uuid",), ("account", "email"))

    def make_columns(self) -> Sequence[Column]:
        plain = (FieldColumn(NotificationContact, name) for name in ("email", "name", "phone"))
        return [UuidColumn(), AccountColumn(self.actor), *plain]

    def rows(self) -> "QuerySet[NotificationContact]":
        return self.actor.sees(NotificationContact.objects.all())
