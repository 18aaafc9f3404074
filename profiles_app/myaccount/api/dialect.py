"""The dialect of MyAccount: the fields of its records, its errors, its one way to authenticate, its viewset.

Fields are liberal in what they take, strict in what they mean (MyAccount spec §3).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import get_default_timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import set_rollback

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import customers_of
from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import CredentialAuthentication, authorization
from contacts_app.core.api.dialect import Dialect
from contacts_app.core.api.view import Manages, Text
from contacts_app.core.api.viewset import DialectViewSet
from contacts_app.core.errors import Refusal
from profiles_app.myaccount.services import allowed_values, visible_profiles

NUMBER = re.compile("[1-9][0-9]{0,17}")
TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
# A `+` that stands unescaped in a query arrives as a space: only after a time can it have been one.
LOST_PLUS = re.compile(r"(:\d\d(?:[.,]\d+)?) (?=\d\d:?\d\d$)")


@extend_schema_field(OpenApiTypes.BOOL)
class Flag(serializers.Field[bool, Any, bool, Any]):
    """`true` or `false`; read from numbers, words, and the empty value too, as the document types it "Text"."""

    def to_representation(self, value: bool) -> bool:
        return value

    def validate_empty_values(self, data: object) -> tuple[bool, object]:
        return super().validate_empty_values("" if data is None else data)

    def to_internal_value(self, data: object) -> bool:
        word = str(data).strip().lower() if isinstance(data, bool | int | str) else None
        if word not in TRUTH:
            raise serializers.ValidationError("Must be true or false.")
        return TRUTH[word]


@extend_schema_field(OpenApiTypes.STR)
class NumberedRow(serializers.Field[Any, Any, str, Any]):
    """The public number of a row as a text."""

    column, thing = "pk", "profile"

    def rows(self, actor: Actor) -> QuerySet[Any]:
        return visible_profiles(actor)

    def to_representation(self, row: object) -> str:
        return str(getattr(row, self.column))

    def to_internal_value(self, data: object) -> object:
        number = str(data).strip() if isinstance(data, int | str) else ""
        rows = self.rows(self.context["request"].user)
        row = rows.filter(**{self.column: int(number)}).first() if NUMBER.fullmatch(number) else None
        if row is None:
            raise serializers.ValidationError(f"There is no such {self.thing}.")
        return row


class CustomerId(NumberedRow):
    """The public number of a customer as a text, or null."""

    column, thing = "voip_id", "customer"
    shows, shown = column, str

    def rows(self, actor: Actor) -> QuerySet[Account]:
        return customers_of(actor)

    def validate_empty_values(self, data: object) -> tuple[bool, object]:
        return super().validate_empty_values(None if isinstance(data, str) and not data.strip() else data)


class TextList(serializers.ListField):
    """Texts in their order, each once."""

    child = Text(max_length=255)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"required": False} | kwargs))

    def validate_empty_values(self, data: object) -> tuple[bool, object]:
        if data is None or (isinstance(data, str) and not data.strip()):
            return True, []
        return super().validate_empty_values(data)

    def to_internal_value(self, data: Any) -> list[str]:
        texts: list[str] = super().to_internal_value([data] if isinstance(data, str) else data)
        return list(dict.fromkeys(texts))


def canonical(name: str, values: Iterable[str], kept: Iterable[str] = ()) -> list[str]:
    """Preset values in the spelling of their list, each once; ValidationError names those that are not in it."""
    allowed = allowed_values(name, kept)
    found = {value: allowed.get(value.strip().casefold()) for value in values}
    if unknown := [value[:100] for value, known in found.items() if known is None]:
        raise serializers.ValidationError(
            f"{', '.join(unknown[:10])}: not allowed. Allowed: {', '.join(allowed.values())}."
        )
    return list(dict.fromkeys(value for value in found.values() if value))


class Preset(Text):
    """One value of a preset list."""

    def to_internal_value(self, data: object) -> str:
        return canonical(str(self.field_name), [super().to_internal_value(data)])[0]


class PresetList(TextList):
    """Values of a preset list; what the record has already stays good when it is taken out of the list."""

    def to_internal_value(self, data: object) -> list[str]:
        record = getattr(self.parent, "instance", None)
        kept = getattr(record, str(self.source)) if record else ()
        return canonical(str(self.field_name), super().to_internal_value(data), kept)


@extend_schema_field(OpenApiTypes.DATETIME)
class Since(serializers.Field[datetime, Any, str, Any]):
    """An instant: ISO 8601, with a space for the T if need be; a bare date is its midnight."""

    def to_internal_value(self, data: object) -> datetime:
        try:
            instant = datetime.fromisoformat(LOST_PLUS.sub(r"\1+", str(data).strip()))
            if instant.tzinfo is None:
                instant = instant.replace(tzinfo=get_default_timezone())
            return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            raise serializers.ValidationError("Must be a date and time such as 2026-01-31T10:00:00Z.") from None


CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


class MyAccountDialect(Dialect):
    """`{"error": {"code": …, "message": …, "fields": {…}}}` (MyAccount spec §6)."""

    prefixes = ("/backend/api/v1/",)
    tag = "myaccount"

    def error(
        self, status_code: int, message: str, fields: Mapping[str, list[str]], code: str = ""
    ) -> dict[str, object]:
        own_code = "validation" if status_code == 400 and fields else CODES.get(status_code, "error")
        return self.error_of(own_code, message, fields)

    def error_of(self, code: str, message: str, fields: Mapping[str, list[str]]) -> dict[str, object]:
        return {"error": {"code": code, "message": message, "fields": dict(fields)}}


class BearerAuthentication(CredentialAuthentication):
    """`Authorization: Bearer …` alone: anything else is no credential here (MyAccount spec §6)."""

    carriers = (authorization,)
    schemes = ("bearer",)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: object) -> dict[str, object]:
        return {"type": "http", "scheme": "bearer", "description": "API token, or access token of a login."}


class MyAccountViewSet(DialectViewSet):
    """A resource of this dialect, for those who may do everything in their scope. URLs name rows by their numbers."""

    dialect: MyAccountDialect = MyAccountDialect()  # type: ignore[misc]
    authentication_classes = [BearerAuthentication]
    permission_classes = [Manages]

    def named(self) -> dict[str, object]:
        number = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        if not NUMBER.fullmatch(number):
            raise self.absent()
        return {self.lookup_field: int(number)}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            set_rollback()
            fields = {"name": [exc.message]} if exc.code == "duplicate_name" else {}
            return Response(self.dialect.error_of(exc.code, exc.message, fields), status=409)
        return super().handle_exception(exc)


class MyAccountProblem(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text="What is wrong with which member or parameter.",
    )


class MyAccountFailure(serializers.Serializer[Any]):
    error = MyAccountProblem()


def answers(status: int, shape: object, *failures: int) -> dict[int, object]:
    """All answers of a route: its success, and the failures that it knows besides 401 and 403."""
    return {status: shape, **dict.fromkeys((401, 403, *failures), MyAccountFailure)}
