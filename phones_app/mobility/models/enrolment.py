"""Phones that enrol themselves: activation codes, and what people at new phones asked for (mobility spec §6)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from profiles_app.phone.models import MacAddressField, PhoneProfile


class EnrolmentCode(models.Model):
    """An activation code, good for one phone: it takes the place of a prepared one, or becomes a new one of a profile."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="enrolment_codes", db_index=False)
    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    # A keyed digest: who reads the table learns no code.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    ending = models.CharField("last digits", max_length=4, editable=False)
    phone = models.ForeignKey(
        Phone,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="enrolment_codes",
        help_text="The prepared phone that the new one becomes; empty: a new phone of the account.",
    )
    profile = models.ForeignKey(
        PhoneProfile,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name="phone profile",
        help_text="What is deployed; empty: the present profile of the prepared phone.",
    )
    name = models.CharField(max_length=255, blank=True, help_text="Of the new phone.")
    location = models.CharField(max_length=255, blank=True, help_text="Of the new phone.")
    expires_at = models.DateTimeField("expires")
    created_at = models.DateTimeField("created", auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    used_at = models.DateTimeField("used", null=True, editable=False)
    used_by = MacAddressField("used by", null=True, blank=True, editable=False)

    history = Tracked(secret=["digest"])

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "activation code"
        constraints = [
            models.CheckConstraint(
                name="enrolment_code_is_for_something",
                condition=Q(phone__isnull=False) | Q(profile__isnull=False),
                violation_error_message="Choose a phone profile or a prepared phone.",
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="enrolment_code_by_age"),
            models.Index(fields=["account", "-created_at", "-id"], name="enrolment_code_of_account"),
            TextIndex(fields=["name", "location", "ending"], name="enrolment_code_text"),
        ]

    def __str__(self) -> str:
        return f"code …{self.ending}"

    @property
    def state(self) -> str:
        if self.used_at:
            return "Used"
        return "Usable" if self.expires_at > timezone.now() else "Expired"


class EnrolmentRequest(models.Model):
    """What a person at a new phone asked for, with a right PIN or code; done at once, or when staff have approved it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for approval"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="enrolment_requests", db_index=False)
    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    mac = MacAddressField("MAC address")
    address = models.CharField("IP address", max_length=64)
    model = models.CharField(max_length=64, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", verbose_name="person"
    )
    code = models.ForeignKey(
        EnrolmentCode, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name="activation code"
    )
    profile = models.ForeignKey(
        PhoneProfile, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name="phone profile"
    )
    replaces = models.ForeignKey(Phone, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=255, blank=True, help_text="Why it was refused.")
    phone = models.ForeignKey(Phone, null=True, on_delete=models.SET_NULL, related_name="enrolments")
    deployment = models.ForeignKey(Deployment, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField("asked", db_default=Now(), editable=False)
    decided_at = models.DateTimeField("decided", null=True)
    decided_by = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["mac"], condition=Q(state="waiting"), name="one_waiting_enrolment_of_a_phone"
            )
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="enrolment_by_age"),
            models.Index(fields=["account", "-created_at", "-id"], name="enrolment_of_account"),
            models.Index(fields=["state", "-created_at", "-id"], name="enrolment_by_state"),
            models.Index(fields=["mac", "-created_at"], name="enrolment_of_phone"),
            TextIndex(fields=["mac", "address", "model"], name="enrolment_text"),
        ]

    def __str__(self) -> str:
        return f"enrolment of SEP{self.mac}"
