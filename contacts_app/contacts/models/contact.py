"""Notification contacts of an account, the types of notifications, and what each contact has chosen of them.

Only decisions are rows: without one, the default of the type holds.
"""

import uuid
from typing import NamedTuple

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.values import PhoneNumberField

EMAIL_LENGTH, NAME_LENGTH = 254, 255
# No stricter than the API's own rule (notification contacts spec §7): what comes in by REST can be edited by staff.
check_address = RegexValidator(r"\A[^@\s]+@[^@\s]+\Z", "Must be an email address.")


class NotificationContact(models.Model):
    """A person or a mailbox. One of each account is its main contact, whose email follows the account's.

    `services.main_contact_follows` makes the main one and keeps its email; the database allows no second one.
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
            models.UniqueConstraint(fields=["account"], condition=Q(main=True), name="one_main_contact_per_account")
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


class EventClass(NamedTuple):
    """A kind of notification of Patchbay's own, beside the documented types of the notifications API.

    A mail about several is headed `topic: 12 happened, 3 over`. A class with `over` can recover: contacts are told
    both that something does not work and that it works again.
    """

    name: str  # As stored.
    label: str
    topic: str
    page: type[models.Model]  # A mail leads to its list in the admin.
    happened: str
    over: str = ""
    # Whether contacts without a preference are notified.
    told: bool = True


event_classes: dict[str, EventClass] = {}


def register(*added: EventClass) -> None:
    """Add classes. Called from the `ready` of the app that tells of them."""
    event_classes.update({one.name: one for one in added})


def is_told_by_default(type_: str) -> bool:
    """Whether a contact without a preference is notified about it; about the documented types always."""
    return type_ not in event_classes or event_classes[type_].told


class NotificationType(models.TextChoices):
    """The types that the API's document lists, in its order (notification contacts spec §8); no others are its."""

    TRIAL_EXPIRE = "trial_expire"
    TRIAL_EXPIRE_SOON = "trial_expire_soon"
    PAYMENT = "payment"
    PAYMENT_APPROVED = "payment_approved"
    PAYMENT_CANCELLED = "payment_cancelled"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_WITHHELD = "payment_withheld"
    SUBSCRIPTION_EXPIRE = "subscription_expire"
    SUBSCRIPTION_EXPIRE_SOON = "subscription_expire_soon"
    SUBSCRIPTION_EXPIRE_VERY_SOON = "subscription_expire_very_soon"
    SUBSCRIPTION_RENEWAL_SOON = "subscription_renewal_soon"
    SUBSCRIPTION_RENEWAL_VERY_SOON = "subscription_renewal_very_soon"
    SUBSCRIPTION_RENEWAL_SUCCESS = "subscription_renewal_success"
    SUBSCRIPTION_RENEWAL_FAILURE = "subscription_renewal_failure"
    OUT_OF_MONEY_SOON = "out_of_money_soon"
    OUT_OF_MONEY_VERY_SOON = "out_of_money_very_soon"
    STOP_SERVERS = "stop_servers"
    DRIVES_DELETE = "drives_delete"
    DRIVES_DELETE_SOON = "drives_delete_soon"
    NEW_ACCOUNT = "new_account"
    RESET_PASSWORD = "reset_password"  # noqa: S105 -- the name of a notification
    RANDOM_UPGRADE = "random_upgrade"


class NotificationMedium(models.TextChoices):
    EMAIL = "email"


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """What there is to choose, for people: what Patchbay tells by itself comes first."""
    own = [(one.name, one.label) for one in event_classes.values()]
    return [("Phones, rollouts and callbacks", own), ("Payments and subscriptions", list(NotificationType.choices))]


def label_of(type_: str) -> str:
    labels = dict(pair for _, pairs in choices() for pair in pairs)
    return labels.get(type_, type_)


class NotificationPreference(models.Model):
    """A contact's decision about one type of notification."""

    contact = models.ForeignKey(
        NotificationContact,
        on_delete=models.CASCADE,
        related_name="preferences",
        db_index=False,  # The constraint's index begins with it.
    )
    # What there is to choose is registered; forms and the API check it.
    type = models.CharField(max_length=64)
    medium = models.CharField(max_length=16, choices=NotificationMedium, default=NotificationMedium.EMAIL)
    value = models.BooleanField(default=True, help_text="Whether the contact is told.")
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(part_of="contact")

    class Meta:
        ordering = ["contact", "pk"]
        constraints = [models.UniqueConstraint(fields=["contact", "type", "medium"], name="one_preference_per_type")]

    def __str__(self) -> str:
        return f"{label_of(self.type)}: {'yes' if self.value else 'no'}"
