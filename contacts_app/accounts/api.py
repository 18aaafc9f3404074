"""The account of a row: named by its public number, chosen when the row is made, fixed from then on.

`/extensions`: the numbers of an account (phone profiles spec §1).
"""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.actor import Actor
from contacts_app.core.api.family import FamilyResource
from contacts_app.core.api.fields import ModelRecord
from contacts_app.core.api.view import find, uuid_in_url
from contacts_app.core.api.viewset import DialectViewSet


class AccountNumber(serializers.IntegerField):
    """`voip_id` on the wire, an Account inside. Tenants know no account but their own."""

    shows = "voip_id"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | kwargs))

    def to_internal_value(self, data: Any) -> Account:  # type: ignore[override]
        number = super().to_internal_value(data)
        actor: Actor = self.context["request"].user
        known = [actor.account] if actor.account else Account.objects.filter(voip_id=number)
        for account in known:
            if account.voip_id == number:
                return account
        raise ValidationError("No such account.")

    def to_representation(self, value: Account) -> int:  # type: ignore[override]
        return value.voip_id


class OwnedRecord(ModelRecord):
    """A row that belongs to an account: of tenants always their own."""

    account = AccountNumber()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        actor: Actor = self.context["request"].user
        if self.instance is None:
            attrs["account"] = attrs.get("account") or actor.account or self.account_by_default()
        elif "account" in attrs and attrs.pop("account") != self.instance.account:
            raise ValidationError({"account": "The account cannot be changed."})
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
            raise ValidationError({"account": "Say which account it belongs to."})
        return accounts[0]


class AccountViewSet(DialectViewSet):
    """A resource of which every row belongs to an account: the actor's or, as staff have none, that of `?account=`."""

    def account_of(self, uuid: UUID) -> Account:
        """The account that the query names; for a tenant there is no other than its own."""
        own = self.actor.account
        return find(Account.objects.filter(pk=own.pk) if own else Account.objects.all(), "Account", uuid=uuid)

    def account_named(self) -> Account | None:
        named = self.request.query_params.get("account")
        return self.actor.account if named is None else self.account_of(uuid_in_url(named, "account"))

    def account_of_new(self) -> Account:
        account = self.account_named()
        if account is None:
            raise ValidationError({"account": "Staff say whose it is to be: ?account=UUID"})
        return account

    def get_queryset(self) -> Any:
        """The actor's rows; of staff those of all accounts, or of the one they name."""
        account, rows = self.account_named(), super().get_queryset()
        return rows if account is None else rows.filter(account=account)


HIGHEST = 2**63 - 1


class ExtensionRecord(TenantRecord):
    number = serializers.IntegerField(min_value=1, max_value=HIGHEST)

    class Meta:
        model = Extension
        fields = ["id", "account", "number", "name", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]
        # Whether the number is free in the account is for the database to say.
        validators: list[object] = []


class Extensions(FamilyResource):
    queryset = Extension.objects.select_related("account").order_by("account_id", "number")
    serializer_class = ExtensionRecord
    thing = name_in_document = "Extension"
    named_by = ("number", "name")
    taken = "Extension {row.number} exists already"
    lookup_field = "id"
    lookup_value_converter = "int"
    descriptions = {
        "list": "The extensions of the account, by number.",
        "create": "Add an extension. Staff name its account.",
        "retrieve": "One extension.",
        "update": "Change only what is sent.",
        "destroy": "Delete an extension, with its tokens and everything of its own.",
    }
    failures = {"create": (400, 409), "retrieve": (404,), "update": (400, 404, 409), "destroy": (404,)}

    def named(self) -> dict[str, object]:
        if self.kwargs["id"] > HIGHEST:
            raise self.absent()
        return {"pk": self.kwargs["id"]}
