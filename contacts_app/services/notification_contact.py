"""The rules of main contacts, for admin and REST alike (notification contacts spec §4)."""

from django.core.exceptions import ValidationError
from django.db import transaction

from contacts_app.models import Account, NotificationContact
from contacts_app.services.account import save_account
from contacts_app.services.errors import Refusal


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
