"""`/profiles`: whom to write to when a callback misbehaves (events spec §5.1)."""

from typing import Any

from django.db.models import QuerySet

from profiles_app.api.events.fields import Email, EventsRecord, Text, UnixTime
from profiles_app.api.events.schema import documented_collection, documented_item, example
from profiles_app.api.events.views import CollectionView, ItemView, ResourceView
from profiles_app.models import EventProfile
from profiles_app.services.event_profile import create_profile, delete_profile

EXAMPLE = {
    "id": 389,
    "voip_id": 1000002,
    "extension_id": None,
    "name": "My special profile",
    "support_email": "support@example.org",
    "created_at": 1591869178,
}


class EventProfileRecord(EventsRecord):
    name = Text(max_length=128)
    support_email = Email(
        max_length=254, allow_null=True, help_text="null: the account's own email; it has to be said."
    )
    created_at = UnixTime(read_only=True)


class ProfileView(ResourceView):
    record = EventProfileRecord
    brief = ("id", "name")

    def rows(self) -> QuerySet[EventProfile]:
        return self.level.rows(EventProfile.objects.select_related("account", "extension"))


@documented_collection("profile", EventProfileRecord, examples=[example(EXAMPLE)], brief=True)
class ProfileList(ProfileView, CollectionView):
    def create(self, given: dict[str, Any]) -> EventProfile:
        return create_profile(level=self.level, given=given)


@documented_item("profile", EventProfileRecord, examples=[example(EXAMPLE)], brief=True)
class ProfileDetail(ProfileView, ItemView):
    def delete_row(self, row: EventProfile) -> None:
        delete_profile(row)
