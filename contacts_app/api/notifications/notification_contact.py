"""`/notification_contacts/`: whom the account wants to be told (notification contacts spec §2 to §4)."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.api.fields import Text
from contacts_app.api.notifications.description import describe_contacts
from contacts_app.api.notifications.dialect import ROOT, NotificationsView
from contacts_app.api.notifications.query import (
    ACCOUNT,
    PAGING,
    Lookup,
    Page,
    contains,
    exactly,
    filtered,
    ordered,
)
from contacts_app.api.notifications.schema import (
    CREATE_EXAMPLES,
    EDIT_EXAMPLES,
    LIST_EXAMPLE,
    TAGS,
    answers,
    listed,
    objects,
)
from contacts_app.api.rows import parse_uuid
from contacts_app.models import NotificationContact
from contacts_app.models.notification_contact import EMAIL_LENGTH, NAME_LENGTH, check_address
from contacts_app.models.phone_number import MAX_TYPED_LENGTH, TYPED, parse_phone_number
from contacts_app.services.history import create_recorded
from contacts_app.services.notification_contact import delete_contact

FILTERS: dict[str, Lookup] = {
    "uuid": lambda values: Q(uuid__in=[uuid for value in values if (uuid := parse_uuid(value))]),
    "name": exactly("name"),
    "name__contains": contains("name"),
    "email": exactly("email"),
    "email__contains": contains("email"),
}
ORDERING = ["uuid", "name", "email"]
DEFAULT_ORDER = ["account_id", "-main"]


@extend_schema_field({"type": "string", "nullable": True, "maxLength": MAX_TYPED_LENGTH, "pattern": TYPED})
class PhoneNumber(Text):
    """A number in any spelling in, its compact form out; null is none."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return parse_phone_number(super().to_internal_value(data))
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages) from None


def _required(**kwargs: Any) -> Text:
    message = "This field is required"
    return Text(error_messages=dict.fromkeys(("required", "blank", "null"), message), **kwargs)


class ContactRecord(serializers.Serializer[Any]):
    """One contact. What it does not know is dropped, what only the server says is ignored."""

    email = _required(max_length=EMAIL_LENGTH, trim_whitespace=False, validators=[check_address])
    main = serializers.BooleanField(
        read_only=True, allow_null=True, help_text="True of one contact of the account, null of the others."
    )
    name = Text(required=False, allow_blank=True, max_length=NAME_LENGTH, trim_whitespace=False)
    phone = PhoneNumber(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Spaces and punctuation are taken out; null is none.",
    )
    resource_uri = serializers.CharField(read_only=True)
    uuid = serializers.UUIDField(read_only=True)


class ContactWithKey(ContactRecord):
    """The answer to an edit, which names the contact once more (notification contacts spec §2)."""

    pk = serializers.UUIDField(read_only=True)


def resource_uri(contact: NotificationContact) -> str:
    return f"{ROOT}notification_contacts/{contact.uuid}/"


def as_record(contact: NotificationContact) -> dict[str, Any]:
    return {
        "email": contact.email,
        "main": contact.main or None,
        "name": contact.name,
        "phone": contact.phone,
        "resource_uri": resource_uri(contact),
        "uuid": str(contact.uuid),
    }


LIST = listed("NotificationContact", ContactRecord)
OBJECTS = objects("NotificationContact", ContactRecord, at_least=1)
LIST_PARAMETERS = [
    *PAGING,
    *(OpenApiParameter(name, str, description="A comma means or.") for name in FILTERS),
    OpenApiParameter(
        "order_by",
        {"type": "string", "pattern": f"^(-?({'|'.join(ORDERING)})(,|$))*$"},
        description=f"One of {', '.join(ORDERING)}; with a minus, backwards.",
    ),
    ACCOUNT,
]


@extend_schema(tags=TAGS)
class ContactsInDetail(NotificationsView):
    """The long form of the list, which for contacts is the same as the short one."""

    @extend_schema(
        operation_id="notification_contacts_detail",
        parameters=LIST_PARAMETERS,
        responses=answers(200, LIST, 400, 404),
    )
    def get(self, request: Request) -> Response:
        """The contacts: the main one first, then as they were made."""
        query = request.query_params
        page = Page.of(query)
        rows = filtered(self.visible(NotificationContact.objects.all()), query, FILTERS)
        shown = ordered(rows, query, ORDERING, DEFAULT_ORDER)[page.slice]
        return Response(page.answer(rows.count(), map(as_record, shown), query))


@extend_schema(tags=TAGS)
class Contacts(ContactsInDetail):
    @extend_schema(
        operation_id="notification_contacts_list",
        parameters=LIST_PARAMETERS,
        responses=answers(200, LIST, 400, 404),
        examples=[LIST_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        """The contacts: the main one first, then as they were made."""
        return super().get(request)

    @extend_schema(
        operation_id="notification_contacts_create",
        parameters=[ACCOUNT],
        request=OBJECTS,
        responses=answers(201, OBJECTS, 400, 404, 413, 415),
        examples=CREATE_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Create contacts, all or none. One contact may also come without the envelope."""
        record = ContactRecord(data=_sent(request.data), many=True)
        record.is_valid(raise_exception=True)
        account = self.account_of_new()
        contacts = [NotificationContact(account=account, **values) for values in record.validated_data]
        create_recorded(contacts)
        return Response(
            {"objects": [as_record(contact) for contact in contacts]},
            status=201,
            headers={"Location": resource_uri(contacts[0])},
        )


def _sent(body: Any) -> list[Any]:
    """The records of a request that creates."""
    if not isinstance(body, Mapping):
        raise ValidationError("Must be an object.")
    records = body.get("objects", [body])
    if not isinstance(records, list) or not records:
        raise ValidationError({"objects": "Must be a list of at least one contact."})
    return records


@extend_schema(tags=TAGS)
class ContactDetail(NotificationsView):
    @extend_schema(operation_id="notification_contacts_get", responses=answers(200, ContactRecord, 404))
    def get(self, request: Request, uuid: str) -> Response:
        """One contact."""
        return Response(as_record(self.one(NotificationContact.objects.all(), uuid)))

    @extend_schema(
        operation_id="notification_contacts_edit",
        request=ContactRecord(partial=True),
        responses=answers(200, ContactWithKey, 400, 404, 413, 415),
        examples=EDIT_EXAMPLES,
    )
    def put(self, request: Request, uuid: str) -> Response:
        """Change only what is sent. A whole record may be sent back as it came."""
        record = ContactRecord(data=request.data, partial=True)
        with transaction.atomic():
            contact = self.one(NotificationContact.objects.select_for_update(), uuid)
            record.is_valid(raise_exception=True)
            for name, value in record.validated_data.items():
                setattr(contact, name, value)
            contact.save(update_fields=[*record.validated_data, "updated_at"])
        return Response(as_record(contact) | {"pk": str(contact.uuid)})

    @extend_schema(
        operation_id="notification_contacts_delete",
        request=None,
        responses=answers(204, None, 404),
    )
    def delete(self, request: Request, uuid: str) -> HttpResponse:
        """Delete a contact with its preferences. The main one is refused with 403."""
        delete_contact(self.one(NotificationContact.objects.all(), uuid))
        # The document shows this type, although there is nothing of it.
        return HttpResponse(status=204, content_type="text/html; charset=utf-8")


@extend_schema(tags=TAGS)
class ContactsDescription(NotificationsView):
    @extend_schema(operation_id="notification_contacts_schema", responses=answers(200, OpenApiTypes.OBJECT))
    def get(self, request: Request) -> Response:
        """The resource's description for programs."""
        return Response(describe_contacts(list(FILTERS), ORDERING))
