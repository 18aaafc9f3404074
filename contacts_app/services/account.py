"""Making accounts and their owners."""

from django.db import models, transaction

from contacts_app.models import Account, Extension, User

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
    account.save()
    if password:
        owner = User(email=email.lower(), username=email.lower(), account=account, permission_level=0)
        owner.set_password(password)
        owner.full_clean()
        owner.save()
    return account


def ensure_extension(*, account: Account, number: int) -> Extension:
    """The account's extension with this number, made if it is missing."""
    extension, _ = Extension.objects.get_or_create(account=account, number=number)
    return extension
