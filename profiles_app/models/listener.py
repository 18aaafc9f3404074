"""A listener of the events integration: which events go to which callback (events spec §5.3 to §5.5)."""

from django.db import models
from django.utils import timezone

from contacts_app.models.history import Tracked
from profiles_app.models.callback import Callback
from profiles_app.models.events_object import EventsObject


class Listener(EventsObject):
    """Binds a callback to subscriptions (any of them) and filters (all of them)."""

    class Version(models.TextChoices):
        V1_0_0 = "1.0.0", "1.0.0"
        V1_1_0 = "1.1.0", "1.1.0"
        V2_0_0 = "2.0.0", "2.0.0"

    version = models.CharField(
        max_length=8,
        choices=Version,
        default=Version.V2_0_0,
        help_text="Stands in the events that are delivered.",
    )
    callback = models.ForeignKey(
        Callback, on_delete=models.RESTRICT, db_index=False, related_name="listeners"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="After this the listener fires no more."
    )

    history = Tracked()

    class Meta(EventsObject.Meta):
        indexes = [
            *EventsObject.Meta.indexes,
            models.Index(fields=["callback", "id"], name="listener_callback"),
            models.Index(fields=["version", "-id"], name="listener_by_version"),
        ]

    def __str__(self) -> str:
        return f"Listener {self.pk}"

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class Subscription(models.Model):
    """A set of tags: an event that bears all of them is wanted."""

    listener = models.ForeignKey(
        Listener, on_delete=models.CASCADE, db_index=False, related_name="subscriptions"
    )
    tags = models.JSONField(default=list)

    history = Tracked(part_of="listener")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["listener", "id"], name="subscription_of_listener")]

    def __str__(self) -> str:
        return " + ".join(self.tags)


class ListenerFilter(models.Model):
    """A condition that an event must meet, or with `not_logic` must not."""

    class Type(models.TextChoices):
        NUMBER = "number", "Number"
        SCHEDULE = "schedule", "Schedule"

    listener = models.ForeignKey(Listener, on_delete=models.CASCADE, db_index=False, related_name="filters")
    filter_type = models.CharField("type", max_length=16, choices=Type)
    filter_value = models.JSONField("value", default=dict)
    not_logic = models.BooleanField("inverted", default=False, help_text="Pass what does not match.")

    history = Tracked(part_of="listener")

    class Meta:
        ordering = ["-id"]
        verbose_name = "filter"
        indexes = [models.Index(fields=["listener", "id"], name="filter_of_listener")]

    def __str__(self) -> str:
        return f"{'not ' if self.not_logic else ''}{self.filter_type} {self.filter_value}"
