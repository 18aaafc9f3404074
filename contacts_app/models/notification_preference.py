"""What a contact wants to be told of. Only decisions are rows: without one, the default of its type holds."""

from django.db import models

from contacts_app.models.event_class import EventClass
from contacts_app.models.history import Tracked
from contacts_app.models.notification_contact import NotificationContact


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
