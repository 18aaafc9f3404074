"""`/directory-entries`: the personal directories of the people of an account; `/me/directory-entries`: one's own."""

from typing import Any, ClassVar

import django_filters
from rest_framework import serializers

from contacts_app.core.actor import Actor
from contacts_app.core.api.family import FamilyResource
from contacts_app.core.api.fields import ModelRecord, RowUuid
from contacts_app.core.api.view import LoggedIn
from contacts_app.core.errors import Refusal
from contacts_app.people.models import User
from phones_app.mobility.models import DirectoryEntry


class OwnEntryRecord(ModelRecord):
    """One line of a person's own directory."""

    class Meta:
        model = DirectoryEntry
        fields = ["uuid", "name", "number", "place", "created_at", "updated_at"]
        read_only_fields = ["uuid", "created_at", "updated_at"]
        # Whether the number is there already is for the database to say.
        validators: list[object] = []
        # The same on every database; left alone it would be what the column of the present one takes.
        extra_kwargs: ClassVar[dict[str, Any]] = {"place": {"max_value": 32_767}}


class EntryRecord(OwnEntryRecord):
    """The same with the person, who is named when the entry is made."""

    user_uuid = RowUuid(source="user", help_text="The person.")

    class Meta(OwnEntryRecord.Meta):
        fields = ["uuid", "user_uuid", *OwnEntryRecord.Meta.fields[1:]]

    def validate_user_uuid(self, uuid: Any) -> User:
        actor: Actor = self.context["request"].user
        user = actor.sees(User.objects.all()).filter(uuid=uuid).first()
        if user is None:
            raise serializers.ValidationError("No such user.")
        if self.instance is not None and user != self.instance.user:
            raise serializers.ValidationError("The person cannot be changed.")
        return user


class EntryFilter(django_filters.FilterSet):  # type: ignore[misc]
    user_uuid = django_filters.UUIDFilter("user__uuid", label="UUID of a person.")

    class Meta:
        model = DirectoryEntry
        fields: list[str] = []


class DirectoryEntries(FamilyResource):
    queryset = DirectoryEntry.objects.select_related("user")
    serializer_class: type[OwnEntryRecord] = EntryRecord
    filterset_class: Any = EntryFilter
    thing, name_in_document = "Directory entry", "DirectoryEntry"
    taken = "{row.number} is in the directory already"
    descriptions = {
        "list": "The entries of personal directories: of each person in the order of the phone's screen.",
        "create": "Add an entry to a person's directory.",
        "retrieve": "One entry.",
        "update": "Change only what is sent.",
        "destroy": "Delete an entry.",
    }
    failures: ClassVar[Any] = {
        **dict.fromkeys(("create", "update"), (400, 404, 409)),
        **dict.fromkeys(("retrieve", "destroy"), (400, 404)),
    }

    def get_queryset(self) -> Any:
        return self.actor.sees(DirectoryEntry.objects.select_related("user"), "user__account")


class OwnEntries(DirectoryEntries):
    """What a person of any level may keep for themselves."""

    permission_classes = [LoggedIn]
    serializer_class = OwnEntryRecord
    filterset_class = None
    name_in_document = "OwnDirectoryEntry"
    rights = dict.fromkeys(("list", "create", "retrieve", "update", "partial_update", "destroy"), ())

    def get_queryset(self) -> Any:
        return DirectoryEntry.objects.filter(user=self.actor.pk or 0)

    def seen_by(self) -> Any:
        return self.actor.pk or 0

    def new(self) -> DirectoryEntry:
        if self.actor.user is None:
            raise Refusal("no-person", "This token belongs to no person.")
        return DirectoryEntry(user=self.actor.user)
