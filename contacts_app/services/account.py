"""Making accounts and their owners, what follows from an account, and who is whose customer."""

from django.db import models, transaction

from contacts_app.models import Account, Extension, User
from contacts_app.services.actor import Actor

FIRST_VOIP_ID = 1_000_001


@transaction.atomic
def create_account(*, name: str, email: str, voip_id: int | None = None, password: str = "") -> Account:
    """A new account; with a password also its owner, a level-0 user with the account's email.

    Raises ValidationError when the voip_id or the owner's email is taken or malformed.
    """
    if voip_id is None:
        highest = Account.objects.aggregate(highest=models.Max("voip_id"))["highest"]
        voip_id = max(FIRST_VOIP_ID, (highest or 0) + 1)
    account = Account(name=name, email=email.lower(), voip_id=voip_id)
    account.full_clean()
    save_account(account)
    if password:
        owner = User(email=email.lower(), username=email.lower(), account=account, permission_level=0)
        owner.set_password(password)
        owner.full_clean()
        owner.save()
    return account


@transaction.atomic
def save_account(account: Account) -> None:
    """Store a new or changed account. Its main contact is made with it and follows its email.

    Nothing else touches that contact's email when an account is saved: it may have been edited on purpose
    (notification contacts spec §4).
    """
    stored = Account.objects.select_for_update().filter(pk=account.pk).values_list("email", flat=True)
    if stored.first() == account.email:
        account.save()
        return
    account.save()
    account.notification_contacts.update_or_create(
        main=True,
        defaults={"email": account.email},
        create_defaults={"main": True, "email": account.email, "name": account.name},
    )


def ensure_extension(*, account: Account, number: int) -> Extension:
    """The account's extension with this number, made if it is missing."""
    extension, _ = Extension.objects.get_or_create(account=account, number=number)
    return extension


def customers_of(actor: Actor) -> "models.QuerySet[Account]":
    """The accounts that the actor serves: of staff all, of a tenant its own and those directly beneath it."""
    rows = Account.objects.all()
    if actor.account is None:
        return actor.sees(rows)
    return rows.filter(models.Q(pk=actor.account.pk) | models.Q(parent=actor.account))
