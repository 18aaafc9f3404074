"""Phones that people treat alike, saved under a name."""

import uuid

from django.db import models
from django.db.models.functions import Lower

from contacts_app.models import Account
from contacts_app.models.history import Tracked
from contacts_app.models.text_index import TextIndex
from phones_app.models.phone import Phone


class PhoneGroup(models.Model):
    """A saved selection of an account's phones, such as *Third floor* or *Pilot users*."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="phone_groups")
    name = models.CharField(max_length=255)
    phones: "models.ManyToManyField[Phone, models.Model]" = models.ManyToManyField(
        Phone, blank=True, related_name="groups"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(links=["phones"])

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["name", "id"], name="phone_group_by_name"),
            TextIndex(fields=["name"], name="phone_group_text"),
        ]
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("name"),
                name="phone_group_name_once_per_account",
                violation_error_message="There is a group of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name
