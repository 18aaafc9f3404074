"""`/notification_contacts/`: the people whom an account wants to be notified (notification contacts spec §2 to §4)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.http import HttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.contacts.api.dialect import NotificationsViewSet
from contacts_app.contacts.api.query import (
    ACCOUNT,
    MOST_ALTERNATIVES,
    PAGING,
    Alternatives,
    ContactPage,
    UuidAlternatives,
    ordered,
)
from contacts_app.contacts.api.schema import answers, contact_uri, describe_contacts, listed, objects
from contacts_app.contacts.models.contact import EMAIL_LENGTH, NAME_LENGTH, NotificationContact, check_address
from contacts_app.contacts.services import delete_contact
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.made_once import MadeOnce
from contacts_app.core.api.members import refuse_unknown
from contacts_app.core.api.rights import refuse_deletion
from contacts_app.core.api.view import Text
from contacts_app.core.api.viewset import Retrieved
from contacts_app.core.history.records import create_recorded
from contacts_app.core.values import MAX_TYPED_LENGTH, TYPED, parse_phone_number

ORDERING = ["uuid", "name", "email"]
DEFAULT_ORDER = ["account_id", "-main"]


@extend_schema_field({"type": "string", "nullable": True, "maxLength": MAX_TYPED_LENGTH, "pattern": TYPED})
class PhoneNumber(Text):
    """A number in any spelling in, its compact form out; null is none."""

    def to_internal_value(self, data: object) -> str:
        try:
            return parse_phone_number(super().to_internal_value(data))
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from None


class MainOrNull(serializers.BooleanField):
    def to_representation(self, value: bool) -> bool | None:  # type: ignore[override]
        return value or None


class ContactLink(serializers.CharField):
    def to_representation(self, value: UUID) -> str:  # type: ignore[override]
        return contact_uri(value)


def _required(**kwargs: object) -> Text:
    message = "This field is required"
    return Text(error_messages=dict.fromkeys(("required", "blank", "null"), message), **kwargs)


class ContactRecord(MadeOnce):
    """One contact. What only the server says is ignored."""

    is_shown_whole = True
    # As the answer to an edit shows it.
    also_takes = ("pk",)
    email = _required(max_length=EMAIL_LENGTH, trim_whitespace=False, validators=[check_address])
    main = MainOrNull(
        read_only=True, allow_null=True, help_text="True of one contact of the account, null of the others."
    )
    name = Text(required=False, allow_blank=True, max_length=NAME_LENGTH, trim_whitespace=False)
    phone = PhoneNumber(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Spaces and punctuation are taken out; null is none.",
    )
    resource_uri = ContactLink(source="uuid", read_only=True)
    uuid = serializers.UUIDField(read_only=True)


class ContactWithKey(ContactRecord):
    """The answer to an edit, which names the contact once more (notification contacts spec §2)."""

    pk = serializers.UUIDField(source="uuid", read_only=True)


class ContactFilter(django_filters.FilterSet):  # type: ignore[misc]
    uuid = UuidAlternatives()
    name = Alternatives()
    name__contains = Alternatives("name", "icontains")
    email = Alternatives()
    email__contains = Alternatives("email", "icontains")

    class Meta:
        model = NotificationContact
        fields: list[str] = []

    def filter_queryset(self, rows: Any) -> Any:
        count = 0
        for name, given in self.form.cleaned_data.items():
            count += sum(map(len, given))
            if count > MOST_ALTERNATIVES:
                raise ValidationError({name: f"No more than {MOST_ALTERNATIVES} values to look for."})
        return super().filter_queryset(rows)


OBJECTS = objects("NotificationContact", ContactRecord, at_least=1)
LISTED: dict[str, Any] = {
    "parameters": [
        *PAGING,
        OpenApiParameter(
            "order_by",
            {"type": "string", "pattern": f"^(-?({'|'.join(ORDERING)})(,|$))*$"},
            description=f"One of {', '.join(ORDERING)}; with a minus, backwards.",
        ),
        ACCOUNT,
    ],
    "responses": answers(200, listed("NotificationContact", ContactRecord), 400, 404),
}


class NotificationContacts(Retrieved, NotificationsViewSet):
    queryset = NotificationContact.objects.all()
    serializer_class = ContactRecord
    filter_backends = [DjangoFilterBackend]
    filterset_class = ContactFilter
    rights = {"long_list": "view", "describe": ()}

    @extend_schema(examples=examples_of(__file__, "list"), **LISTED)
    def list(self, request: Request) -> Response:
        """The contacts: the main one first, then as they were made."""
        query, rows = request.query_params, self.rows()
        page = ContactPage.of(query)
        shown, total = rows.window(*page.window, is_exact=True)
        return Response(page.answer(total.number, self.records(rows, shown), query))

    def filter_queryset(self, queryset: Any) -> Any:
        return ordered(super().filter_queryset(queryset), self.request.query_params, ORDERING, DEFAULT_ORDER)

    @extend_schema(filters=True, **LISTED)
    @action(detail=False, url_path="detail")
    def long_list(self, request: Request) -> Response:
        """The contacts: the main one first, then as they were made."""
        return self.list(request)

    @extend_schema(responses=answers(200, OpenApiTypes.OBJECT))
    @action(detail=False, url_path="schema", filter_backends=[])
    def describe(self, request: Request) -> Response:
        """The resource's description for programs."""
        return Response(describe_contacts(list(ContactFilter.base_filters), ORDERING))

    @extend_schema(
        parameters=[ACCOUNT],
        request=OBJECTS,
        responses=answers(201, OBJECTS, 400, 404, 413, 415),
        examples=examples_of(__file__, "create", "created"),
    )
    def create(self, request: Request) -> Response:
        """Create contacts, all or none. One contact may also come without the envelope."""
        record = ContactRecord(data=_sent(request.data), many=True)
        refuse_unknown(record, record.initial_data)
        record.is_valid(raise_exception=True)
        account = self.account_of_new()
        contacts = [NotificationContact(account=account, **values) for values in record.validated_data]
        create_recorded(contacts)
        return Response(
            {"objects": ContactRecord(contacts, many=True).data},
            status=201,
            headers={"Location": contact_uri(contacts[0].uuid)},
        )

    @extend_schema(responses=answers(200, ContactRecord, 404))
    def retrieve(self, request: Request, **named: object) -> Response:
        """One contact."""
        return super().retrieve(request)

    @extend_schema(
        request=ContactRecord(partial=True),
        responses=answers(200, ContactWithKey, 400, 404, 413, 415),
        examples=examples_of(__file__, "edit", "edited"),
    )
    @transaction.atomic
    def update(self, request: Request, uuid: str) -> Response:
        """Change only what is sent. A whole record may be sent back as it came."""
        contact = self.get_object()
        sent = self.sent(contact)
        for name, value in sent.items():
            setattr(contact, name, value)
        contact.save(update_fields=[*sent, "updated_at"])
        return Response(ContactWithKey(contact).data)

    @extend_schema(request=None, responses=answers(204, None, 404))
    def destroy(self, request: Request, uuid: str) -> HttpResponse:
        """Delete a contact with its preferences. The main one is refused with 403."""
        contact = self.get_object()
        refuse_deletion(self.actor, contact)
        delete_contact(contact)
        # The document shows this type, although there is nothing of it.
        return HttpResponse(status=204, content_type="text/html; charset=utf-8")

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.select_for_update() if self.action == "update" else rows


def _sent(body: object) -> list[Any]:
    """The records of a request that creates."""
    if not isinstance(body, Mapping):
        raise ValidationError("Must be an object.")
    records = body.get("objects", [body])
    if not isinstance(records, list) or not records:
        raise ValidationError({"objects": "Must be a list of at least one contact."})
    return records
