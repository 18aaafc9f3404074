"""The account of a row: named by its public number, chosen when the row is made, fixed from then on."""

from typing import Any

from rest_framework import serializers

from contacts_app.models import Account
from contacts_app.services.actor import Actor
from phones_app.api.fields import Record


class AccountNumber(serializers.IntegerField):
    """`voip_id` on the wire, an Account inside. Tenants know no account but their own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))

    def to_internal_value(self, data: Any) -> Account:  # type: ignore[override]
        number = super().to_internal_value(data)
        actor: Actor = self.context["request"].user
        known = [actor.account] if actor.account else Account.objects.filter(voip_id=number)
        for account in known:
            if account.voip_id == number:
                return account
        raise serializers.ValidationError("No such account.")

    def to_representation(self, value: Account) -> int:  # type: ignore[override]
        return value.voip_id


class OwnedRecord(Record):
    """A row that belongs to an account: of tenants always their own."""

    account = AccountNumber()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        actor: Actor = self.context["request"].user
        if self.instance is None:
            attrs["account"] = attrs.get("account") or actor.account or self.account_by_default()
        elif "account" in attrs and attrs.pop("account") != self.instance.account:
            raise serializers.ValidationError({"account": "The account cannot be changed."})
        return attrs

    def account_by_default(self) -> Account | None:
        """Where staff name no account."""
        return None


class TenantRecord(OwnedRecord):
    """A row that always belongs to an account."""

    def account_by_default(self) -> Account:
        """Staff may leave the account out where there is one only."""
        accounts = list(Account.objects.all()[:2])
        if len(accounts) != 1:
            raise serializers.ValidationError({"account": "Say which account it belongs to."})
        return accounts[0]
