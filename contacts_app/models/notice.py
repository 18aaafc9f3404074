"""What contacts are to be told next, and the troubles they were told of that are not over yet."""

from django.db import models

from contacts_app.models.account import Account
from contacts_app.models.event_class import EventClass
from contacts_app.models.notification_contact import NotificationContact


class Trouble(models.Model):
    """Something that does not work. It is told once, and its end is told to those who were told of it."""

    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        related_name="troubles",
        db_index=False,  # The constraint's index begins with it.
    )
    event_class = models.CharField(max_length=64, choices=EventClass)
    key = models.CharField(max_length=128, help_text="What does not work, such as a phone's MAC address.")
    since = models.DateTimeField(auto_now_add=True)
    told: "models.ManyToManyField[NotificationContact, models.Model]" = models.ManyToManyField(
        NotificationContact, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "event_class", "key"], name="a_trouble_is_told_once")
        ]

    def __str__(self) -> str:
        return f"{self.event_class}: {self.key}"


class Notice(models.Model):
    """A line for one contact that no mail holds yet; the mail that takes it over is all that stays of it."""

    contact = models.ForeignKey(
        NotificationContact,
        on_delete=models.CASCADE,
        related_name="notices",
        db_index=False,  # The index below begins with it.
    )
    event_class = models.CharField(max_length=64, choices=EventClass)
    over = models.BooleanField(default=False, help_text="It tells that a trouble is over.")
    title = models.CharField(max_length=255)
    detail = models.TextField(blank=True)
    path = models.CharField(max_length=255, blank=True, help_text="Of the page that shows more.")
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(help_text="Until then it waits for others to share a mail with.")

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["contact", "event_class", "id"], name="notice_of_contact"),
            models.Index(fields=["due_at"], name="notice_due"),
        ]

    def __str__(self) -> str:
        return self.title
