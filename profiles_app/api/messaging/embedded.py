"""Accounts and people inside other records: no more of them than the document shows, and never a credential."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts_app.api.fields import Instant
from contacts_app.models import Account, User


@extend_schema_field({"type": "object", "nullable": True})
class Null(serializers.ReadOnlyField):
    """What the document shows and Patchbay does not know."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"default": None} | kwargs))


class AccountBrief(serializers.ModelSerializer[Account]):
    balance = serializers.FloatField()
    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")
    deleted_on = Null()

    class Meta:
        model = Account
        fields = ["uuid", "name", "email", "level", "balance", "created_on", "modified_on", "deleted_on"]


class UserBrief(serializers.ModelSerializer[User]):
    role = serializers.CharField()

    class Meta:
        model = User
        fields = ["uuid", "email", "first_name", "last_name", "role"]


class OwnedOutput(serializers.ModelSerializer[Any]):
    """What every record of this dialect says of itself."""

    created_on = Instant(source="created_at")
    modified_on = Instant(source="updated_at")
    account = AccountBrief()
    created_by = UserBrief(allow_null=True)
    modified_by = UserBrief(allow_null=True)


OWNED_FIELDS = ["created_on", "modified_on", "uuid", "account", "created_by", "modified_by"]
OWNED_RELATIONS = ("account", "created_by", "modified_by")
