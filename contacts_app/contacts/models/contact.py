"""Whom an account wants to be told, and how to reach them.

What Patchbay itself tells contacts of, beside the documented types of the notifications API: one table.

What a contact wants to be told of. Only decisions are rows: without one, the default of its type holds.
"""

import uuid
from typing import NamedTuple

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.phone_number import PhoneNumberField

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


class EventClass(models.TextChoices):
    """What a contact can choose. A class that can recover tells both: the trouble, and that it is over."""

    DEPLOYMENT_FAILED = "deployment_failed", "Deployments that fail, and phones deployed after all"
    PHONE_UNREACHABLE = "phone_unreachable", "Phones that cannot be reached, and are back"
    DRIFT_FOUND = "drift_found", "Phones that use another file than theirs, and no longer do"
    ROLLOUT_FINISHED = "rollout_finished", "Rollouts that have finished"
    ROLLOUT_PAUSED = "rollout_paused", "Rollouts that were paused"
    ROLLOUT_ABORTED = "rollout_aborted", "Rollouts that were aborted"
    CALLBACK_FAILING = "callback_failing", "Callbacks that take no events, and do again"
    CALLBACK_DEREGISTERED = "callback_deregistered", "Callbacks that were switched off"
    TOKEN_CREATED = "token_created", "API tokens that were created"
    TOKEN_REVOKED = "token_revoked", "API tokens that were revoked"


class Words(NamedTuple):
    """How a mail about several is headed: `topic: 12 happened, 3 over`. Without `over` nothing recovers."""

    topic: str
    page: str  # The model that the admin lists.
    happened: str
    over: str = ""
    # Whether contacts are told who have not decided.
    told: bool = True


# The owner of a callback is told at the support address of its event profile; contacts are if they ask for it.
CLASSES = {
    EventClass.DEPLOYMENT_FAILED: Words(
        "Deployments", "phones_app_deployment", "failed", "succeeded after all"
    ),
    EventClass.PHONE_UNREACHABLE: Words("Phones", "phones_app_phone", "not reachable", "back"),
    EventClass.DRIFT_FOUND: Words("Phone files", "phones_app_phone", "not as deployed", "in order again"),
    EventClass.ROLLOUT_FINISHED: Words("Rollouts", "phones_app_rollout", "finished"),
    EventClass.ROLLOUT_PAUSED: Words("Rollouts", "phones_app_rollout", "paused"),
    EventClass.ROLLOUT_ABORTED: Words("Rollouts", "phones_app_rollout", "aborted"),
    EventClass.CALLBACK_FAILING: Words(
        "Callbacks", "profiles_app_callback", "failing", "working again", told=False
    ),
    EventClass.CALLBACK_DEREGISTERED: Words("Callbacks", "profiles_app_callback", "switched off", told=False),
    EventClass.TOKEN_CREATED: Words("API tokens", "contacts_app_apitoken", "created"),
    EventClass.TOKEN_REVOKED: Words("API tokens", "contacts_app_apitoken", "revoked"),
}


def is_told_by_default(type_: str) -> bool:
    """Whether a contact that has not decided is told of it; of the documented types always."""
    return type_ not in EventClass.values or CLASSES[EventClass(type_)].told


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


# What there is to choose, for people: what Patchbay tells by itself comes first.
CHOICES = [
    ("Phones, rollouts and callbacks", EventClass.choices),
    ("Payments and subscriptions", NotificationType.choices),
]


class NotificationPreference(models.Model):
    """A contact's decision about one type of notification."""

    contact = models.ForeignKey(
        NotificationContact,
        on_delete=models.CASCADE,
        related_name="preferences",
        db_index=False,  # The constraint's index begins with it.
    )
    type = models.CharField(max_length=64, choices=CHOICES)
    medium = models.CharField(max_length=16, choices=NotificationMedium, default=NotificationMedium.EMAIL)
    value = models.BooleanField(default=True, help_text="Whether the contact is told.")
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(part_of="contact")

    class Meta:
        ordering = ["contact", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["contact", "type", "medium"], name="one_preference_per_type")
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()}: {'yes' if self.value else 'no'}"
