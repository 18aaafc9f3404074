"""Whom an account wants to be told, and how to reach them."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from contacts_app.models.account import Account
from contacts_app.models.history import Tracked
from contacts_app.models.phone_number import PhoneNumberField
from contacts_app.models.text_index import TextIndex

EMAIL_LENGTH, NAME_LENGTH = 254, 255
# No stricter than the API's own rule (notification contacts spec §7): what comes in by REST can be edited by staff.
check_address = RegexValidator(r"\A[^@\s]+@[^@\s]+\Z", "Must be an email address.")


class NotificationContact(models.Model):
    """A person or a mailbox. One of each account is its main contact, whose email follows the account's.

    `services.account.save_account` makes the main one and keeps its email; the database allows no second one.
    """

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        on_delete=models.CASCADE,
        related_name="notification_contacts",
        db_index=False,  # The indexes below begin with it.
    )
    email = models.CharField(max_length=EMAIL_LENGTH, validators=[check_address])
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    phone = PhoneNumberField(
        blank=True, help_text="In any spelling; kept without spaces and punctuation, as +442079460958."
    )
    main = models.BooleanField(
        default=False,
        editable=False,
        help_text="The account's own contact: it follows the account's email and cannot be deleted.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["account_id", "-main", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(main=True), name="one_main_contact_per_account"
            )
        ]
        # Tenants list and filter within their account, staff everywhere.
        indexes = [
            models.Index(fields=["account", "-main", "id"], name="contact_main_first"),
            models.Index(fields=["account", "name"], name="contact_name_in_account"),
            models.Index(fields=["account", "email"], name="contact_email_in_account"),
            models.Index(fields=["account", "uuid"], name="contact_uuid_in_account"),
            models.Index(fields=["name"], name="contact_name"),
            models.Index(fields=["email"], name="contact_email"),
            TextIndex(fields=["name", "email", "phone"], name="contact_text"),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email
