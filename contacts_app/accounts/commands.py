"""The account that an operator command is about, named by its VoIP id."""

from django.core.management.base import CommandError

from contacts_app.accounts.models import Account


def account_numbered(voip_id: int) -> Account:
    account = Account.objects.filter(voip_id=voip_id).first()
    if account is None:
        raise CommandError(f"There is no account with the VoIP id {voip_id}.")
    return account
