"""Mail on its way to people: each row is one message to one address, written with whatever it tells of."""

import uuid

from django.db import models
from django.db.models import Q

from contacts_app.models.account import Account
from contacts_app.models.notification_contact import EMAIL_LENGTH, NotificationContact


class Mail(models.Model):
    """The row is the truth: whoever sends it claims it by a lease and writes down what the mail server said.

    Bodies hold no secrets. The link to unsubscribe, which is one, stands in them as a mark that sending replaces.
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
