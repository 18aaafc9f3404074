"""`/notification_preferences/`: which notifications each contact gets (notification contacts spec §8)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.contacts.api.contacts import DEFAULT_ORDER
from contacts_app.contacts.api.dialect import ROOT, NotificationsViewSet
from contacts_app.contacts.api.query import ACCOUNT, PAGING, ContactPage
from contacts_app.contacts.api.schema import answers, contact_uri, listed, objects
from contacts_app.contacts.models.contact import (
    NotificationContact,
    NotificationMedium,
    NotificationPreference,
    NotificationType,
    event_classes,
    is_told_by_default,
)
from contacts_app.contacts.services import set_preferences
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.members import refuse_unknown
from contacts_app.core.api.view import Text, Truth, parse_uuid

CONTACT_PATTERN = f"^{ROOT}notification_contacts/[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}/$"


def types() -> list[tuple[str, str]]:
    """The document's types, then those that Patchbay sends, with what they are about."""
    return [*NotificationType.choices, *((one.name, one.label) for one in event_classes.values())]


def kinds() -> list[tuple[str, str]]:
    """One of each for every contact."""
    return [(medium, type_) for medium in NotificationMedium.values for type_, _ in types()]


def is_told(type_: str, decided: bool | None) -> bool:
    """Whether a contact gets these mails. The document's own types are not sent here, so the answer for them is no."""
    return type_ in event_classes and (is_told_by_default(type_) if decided is None else decided)


@extend_schema_field({"type": "string", "pattern": CONTACT_PATTERN})
class ContactUri(Text):
    """A contact's `resource_uri`, or its UUID alone."""

    def to_internal_value(self, data: object) -> UUID:  # type: ignore[override]
        uuid = parse_uuid(re.sub(r"\A.*/notification_contacts/|/\Z", "", super().to_internal_value(data)))
        if uuid is None:
            raise serializers.ValidationError("Must be the resource_uri of a contact.")
        return uuid


class PreferenceRecord(serializers.Serializer[Any]):
    """Whether one contact is notified of one type of notification."""

    is_shown_whole = True
    contact = ContactUri(help_text="The contact's resource_uri.")
    medium = serializers.ChoiceField(choices=NotificationMedium.choices, default=NotificationMedium.EMAIL)
    # This module is loaded when every app has registered its own.
    type = serializers.ChoiceField(choices=types())
    value = Truth(help_text="Whether the contact gets these mails; always false for types that are not sent here.")


def as_record(contact: NotificationContact, medium: str, type_: str, value: bool) -> dict[str, object]:
    return {"contact": contact_uri(contact.uuid), "medium": medium, "type": type_, "value": value}


def preferences_of(contacts: Iterable[NotificationContact]) -> Iterator[dict[str, object]]:
    """All preferences of contacts, decided or not."""
    for contact in contacts:
        decided = {(row.medium, row.type): row.value for row in contact.preferences.all()}
        for medium, type_ in kinds():
            yield as_record(contact, medium, type_, is_told(type_, decided.get((medium, type_))))


OBJECTS = objects("NotificationPreference", PreferenceRecord)


class NotificationPreferences(NotificationsViewSet):
    queryset = NotificationContact.objects.all()
    rights = {"update_list": "change"}

    @extend_schema(
        parameters=[*PAGING, ACCOUNT],
        responses=answers(200, listed("NotificationPreference", PreferenceRecord), 400, 404),
    )
    def list(self, request: Request) -> Response:
        """What each contact is notified of: one record for every contact and type."""
        query = request.query_params
        page = ContactPage.of(query)
        contacts = self.get_queryset()
        # The page is cut from the contacts that it touches.
        of_each = len(kinds())
        first, skipped = divmod(page.offset, of_each)
        last = -(-(page.offset + page.limit) // of_each) if page.limit else first
        touched = ContactPage(last - first, first).slice
        rows = contacts.order_by(*DEFAULT_ORDER, "pk").prefetch_related("preferences")[touched]
        records = list(preferences_of(rows))[skipped : skipped + page.limit if page.limit else None]
        return Response(page.answer(contacts.count() * of_each, records, query))

    @extend_schema(
        parameters=[ACCOUNT],
        request=PreferenceRecord(many=True),
        responses=answers(202, OBJECTS, 400, 404, 413, 415),
        examples=examples_of(__file__, "edit_preference", "edited_preference"),
    )
    def update_list(self, request: Request) -> Response:
        """Change the preferences that are sent, all or none; the others stay. One may come without the list."""
        record = PreferenceRecord(data=_sent(request.data), many=True)
        refuse_unknown(record, record.initial_data)
        record.is_valid(raise_exception=True)
        sent = record.validated_data
        with transaction.atomic():
            contacts = self._contacts({values["contact"] for values in sent})
            set_preferences(
                NotificationPreference(**values | {"contact": contacts[values["contact"]]}) for values in sent
            )
        shown = [
            as_record(contacts[one["contact"]], one["medium"], one["type"], is_told(one["type"], one["value"]))
            for one in sent
        ]
        return Response({"objects": shown}, status=202)

    def _contacts(self, uuids: set[UUID]) -> dict[UUID, NotificationContact]:
        """The contacts, which stay until the transaction has ended."""
        rows = self.get_queryset().select_for_update().filter(uuid__in=uuids)
        found = {contact.uuid: contact for contact in rows}
        if missing := uuids - found.keys():
            raise NotFound(f"Object with uuid {min(missing)} does not exist")
        return found


def _sent(body: object) -> list[Any]:
    """The records of a request: a list, a list in the envelope of answers, or one record."""
    records = body.get("objects", [body]) if isinstance(body, Mapping) else body
    if not isinstance(records, list):
        raise ValidationError("Must be a preference or a list of them.")
    return records
