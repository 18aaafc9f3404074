"""A profile of the events integration: whom to write to when a callback misbehaves (events spec §5.1)."""

from django.db import models

from contacts_app.models.history import Tracked
from contacts_app.models.text_index import TextIndex
from profiles_app.models.events_object import EventsObject


class EventProfile(EventsObject):
    name = models.CharField(max_length=128)
    support_email = models.EmailField(
        max_length=254,
        null=True,
        blank=True,
        help_text="Who is told of time-outs and of a callback being switched off; empty: the account's email.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    history = Tracked()

    class Meta(EventsObject.Meta):
        verbose_name = "event profile"
        indexes = [
            *EventsObject.Meta.indexes,
            models.Index(fields=["name", "id"], name="event_profile_by_name"),
            TextIndex(fields=["name", "support_email"], name="event_profile_text"),
        ]

    def __str__(self) -> str:
        return self.name
