"""Lines that wait to be mailed to contacts, incidents that are not over yet, and mails, each to one address."""

import uuid

from django.db import models
from django.db.models import Q

from contacts_app.accounts.models import Account
from contacts_app.contacts.models.contact import EMAIL_LENGTH, NotificationContact


class Incident(models.Model):
    """Something that does not work. It is told once, and its end is told to those who were told of it."""

    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        related_name="incidents",
        db_index=False,  # The constraint's index begins with it.
    )
    event_class = models.CharField(max_length=64)
    key = models.CharField(max_length=128, help_text="What does not work, such as a phone's MAC address.")
    since = models.DateTimeField(auto_now_add=True)
    # What was told, for who chooses to be told while it lasts.
    title = models.CharField(max_length=255, blank=True)
    path = models.CharField(max_length=255, blank=True, help_text="Of the page that shows more.")
    told: "models.ManyToManyField[NotificationContact, models.Model]" = models.ManyToManyField(
        NotificationContact, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["account", "event_class", "key"], name="a_trouble_is_told_once")]

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
    event_class = models.CharField(max_length=64)
    over = models.BooleanField(default=False, help_text="It tells that an incident is over.")
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


class Mail(models.Model):
    """The row is the truth: the worker that sends it claims it by a lease and writes down what the mail server said.

    Bodies hold no secrets. Links that are, to unsubscribe or to a password, stand in them as marks that sending replaces.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        on_delete=models.CASCADE,
        related_name="mails",
        db_index=False,  # The index below begins with it.
        help_text="Whose business it is; empty: the portal's own.",
    )
    contact = models.ForeignKey(
        NotificationContact,
        null=True,
        on_delete=models.SET_NULL,
        related_name="mails",
        db_index=False,  # The index below begins with it.
    )
    to = models.CharField(max_length=EMAIL_LENGTH, db_index=True)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField("HTML", blank=True)
    about = models.CharField(
        max_length=64, blank=True, help_text="What the contact can unsubscribe from; empty: nothing."
    )
    group = models.CharField(
        max_length=128, blank=True, help_text="An address gets one mail of a group; empty: as many as come."
    )

    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True, help_text="What the mail server said, or why it was not reached.")
    next_attempt_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "mail"
        constraints = [
            models.UniqueConstraint(
                fields=["group", "to"], condition=~Q(group=""), name="one_mail_of_a_group_per_address"
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="mail_by_age"),
            models.Index(fields=["account", "-created_at"], name="mail_of_account"),
            models.Index(fields=["contact", "about", "-created_at"], name="mail_of_contact"),
            models.Index(fields=["state", "-created_at"], name="mail_by_state"),
            models.Index(fields=["next_attempt_at"], condition=Q(state="queued"), name="mail_due"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.to}"
