"""Notification contacts as a sheet: known by their UUID, or by account and email."""

from collections.abc import Sequence

from django.db.models import QuerySet

from contacts_app.models import NotificationContact
from contacts_app.services.account_column import AccountColumn
from contacts_app.services.sheets.columns import Column, FieldColumn, UuidColumn
from contacts_app.services.sheets.sheet import Sheet


class ContactSheet(Sheet):
    kind, thing = "contacts", "contact"
    model = NotificationContact
    keys = (("uuid",), ("account", "email"))

    def make_columns(self) -> Sequence[Column]:
        plain = (FieldColumn(NotificationContact, name) for name in ("email", "name", "phone"))
        return [UuidColumn(), AccountColumn(self.actor), *plain]

    def rows(self) -> "QuerySet[NotificationContact]":
        return self.actor.sees(NotificationContact.objects.all())
