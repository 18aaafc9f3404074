"""`/lines`: what phones register as at the PBX. Passwords are shown to those who may see passwords, else masked."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError

from contacts_app.accounts.api import TenantRecord
from contacts_app.core.actor import Actor
from contacts_app.core.api.family import FamilyResource
from contacts_app.core.api.fields import RowUuid
from contacts_app.core.api.reading import Narrowed, Record
from contacts_app.core.api.view import Text
from contacts_app.people.models import User
from profiles_app.phone.lines import CHECKED, faults_of, values_of
from profiles_app.phone.models import Line
from profiles_app.phone.sep.comparison import MASK

LONGEST_PASSWORD = 255


class LineRecord(Narrowed, TenantRecord):
    user_uuid = RowUuid(source="user", required=False, allow_null=True, help_text="The person whose line it is.")
    auth_password = Text(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=LONGEST_PASSWORD,
        help_text=f"`{MASK}` for callers who may not see passwords; sent back like that, it stays as it is.",
    )

    class Meta:
        model = Line
        fields = [
            *("uuid", "account", "extension", "name", "user_uuid", "auth_name", "auth_password", "display_name"),
            *("label", "voicemail", "mailbox", "max_calls", "busy_trigger", "created_at", "updated_at"),
        ]
        read_only_fields = ["uuid", "created_at", "updated_at"]
        # Whether the extension is there already is for the database to say.
        validators: ClassVar[list[object]] = []

    @classmethod
    def narrowed(cls, record: Record, context: Mapping[str, Any]) -> Record:
        actor: Actor = context["request"].user
        hidden = record["auth_password"] and not actor.reveals
        return record | {"auth_password": MASK} if hidden else record

    def validate_user_uuid(self, uuid: UUID | None) -> User | None:
        if uuid is None:
            return None
        actor: Actor = self.context["request"].user
        user = actor.sees(User.objects.all()).filter(uuid=uuid).first()
        if user is None:
            raise ValidationError("No such user.")
        return user

    def validate(self, attrs: Record) -> Record:
        attrs = super().validate(attrs)
        if attrs.get("auth_password") == MASK:
            del attrs["auth_password"]
        account = self.instance.account if self.instance is not None else attrs["account"]
        person = attrs.get("user")
        if person is not None and person.account_id != account.pk:
            raise ValidationError({"user_uuid": "The person and the line belong to different accounts."})
        if any(name in attrs for name in CHECKED):
            stored = values_of(self.instance) if self.instance is not None else {}
            if faults := faults_of(stored | attrs):
                raise ValidationError(faults)
        return attrs


class LineFilter(django_filters.FilterSet):  # type: ignore[misc]
    extension = django_filters.CharFilter("extension", label="The whole extension.")
    user_uuid = django_filters.UUIDFilter("user__uuid", label="UUID of the person whose line it is.")

    class Meta:
        model = Line
        fields: list[str] = []


class Lines(FamilyResource):
    queryset = Line.objects.select_related("account", "user")
    serializer_class = LineRecord
    filterset_class = LineFilter
    thing = name_in_document = "Line"
    named_by = ("uuid", "extension")
    taken = "Line {row.extension} exists already"
    descriptions = {
        "list": "The lines of the account, by extension. `/lines.csv` has them with the phones that they are on.",
        "create": "Add a line. Staff name its account.",
        "retrieve": "One line.",
        "update": "Change only what is sent. The files of the phones that have the line change with it.",
        "destroy": "Delete a line. The phones that have it lose it with their next file.",
    }
    failures = {
        **dict.fromkeys(("create", "update"), (400, 404, 409)),
        **dict.fromkeys(("retrieve", "destroy"), (400, 404)),
    }

    def get_queryset(self) -> "QuerySet[Line]":
        return self.actor.sees(Line.objects.select_related("account", "user").order_by("extension", "pk"))
