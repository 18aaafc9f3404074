"""The account of a row: named by its public number, chosen when the row is made, fixed from then on.

`/extensions`: the numbers of an account (phone profiles spec §1).
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.actor import Actor
from contacts_app.core.api.dialect import Conflict
from contacts_app.core.api.family import (
    PAGING,
    NoMetadata,
    PageMetadata,
    PhoneFamilyView,
    answer,
    answers,
    check_has_known_field,
    envelope,
    page,
)
from contacts_app.core.api.view import find
from phones_app.inventory.api.fields import Record


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


HIGHEST = 2**63 - 1


class ExtensionRecord(TenantRecord):
    number = serializers.IntegerField(min_value=1, max_value=HIGHEST)

    class Meta:
        model = Extension
        fields = ["id", "account", "number", "name", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]
        # Whether the number is free in the account is for the database to say.
        validators: list[Any] = []


ONE = envelope("Extension", ExtensionRecord(), metadata=NoMetadata)
MANY = envelope("Extensions", ExtensionRecord(many=True), metadata=PageMetadata)
GONE = envelope("ExtensionDeleted", serializers.DictField(child=serializers.CharField()), metadata=NoMetadata)


class ExtensionsView(PhoneFamilyView):
    def rows(self) -> "QuerySet[Extension]":
        return self.actor.sees(Extension.objects.select_related("account").order_by("account_id", "number"))

    def extension(self, pk: int) -> Extension:
        if pk > HIGHEST:
            raise NotFound("Extension not found")
        return find(self.rows(), "Extension", pk=pk)

    def shown(self, extension: Extension) -> dict[str, Any]:
        return ExtensionRecord(context={"request": self.request}).to_representation(extension)

    def store(self, extension: Extension, columns: list[str] | None = None) -> None:
        try:
            with transaction.atomic():
                extension.save(update_fields=columns)
        except IntegrityError:
            raise Conflict(f"Extension {extension.number} exists already") from None


class ExtensionList(ExtensionsView):
    @extend_schema(operation_id="extensions_list", parameters=PAGING, responses=answers(200, MANY, 400))
    def get(self, request: Request) -> Response:
        """The extensions of the account, by number."""
        rows, metadata = page(request, self.rows())
        found = f"{metadata['total']} extension(s) found"
        return answer([self.shown(row) for row in rows], found, metadata=metadata)

    @extend_schema(request=ExtensionRecord, responses=answers(201, ONE, 400, 409))
    def post(self, request: Request) -> Response:
        """Add an extension. Staff name its account."""
        record = ExtensionRecord(data=request.data, context={"request": request})
        record.is_valid(raise_exception=True)
        extension = Extension(**record.validated_data)
        self.store(extension)
        return answer(self.shown(extension), "Extension created", status=201, metadata={})


class ExtensionDetail(ExtensionsView):
    @extend_schema(responses=answers(200, ONE, 404))
    def get(self, request: Request, id: int) -> Response:
        """One extension."""
        return answer(self.shown(self.extension(id)), "Extension found", metadata={})

    @extend_schema(request=ExtensionRecord(partial=True), responses=answers(200, ONE, 400, 404, 409))
    def put(self, request: Request, id: int) -> Response:
        """Change only what is sent."""
        extension = self.extension(id)
        record = ExtensionRecord(extension, data=request.data, partial=True, context={"request": request})
        check_has_known_field(request.data, record)
        record.is_valid(raise_exception=True)
        for name, value in record.validated_data.items():
            setattr(extension, name, value)
        self.store(extension, [*record.validated_data, "updated_at"])
        return answer(self.shown(extension), "Extension updated", metadata={})

    @extend_schema(request=ExtensionRecord(partial=True), responses=answers(200, ONE, 400, 404, 409))
    def patch(self, request: Request, id: int) -> Response:
        """The same as PUT."""
        return self.put(request, id)

    @extend_schema(responses=answers(200, GONE, 404))
    def delete(self, request: Request, id: int) -> Response:
        """Delete an extension, with its tokens and everything of its own."""
        extension = self.extension(id)
        gone = {"number": str(extension.number), "name": extension.name}
        extension.delete()
        return answer(gone, "Extension deleted", metadata={})
