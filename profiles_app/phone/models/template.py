"""Templates: the text of a SEP file with expressions where values come in (configuration spec §1)."""

import hashlib
import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from contacts_app.core.secrets import EncryptedTextField


class PhoneTemplate(models.Model):
    """A text that many profiles share. It may hold passwords in clear as a file may, so it is encrypted."""

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="phone_templates",
        db_index=False,
        help_text="Whose template it is; empty: everybody's.",
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    text = EncryptedTextField(help_text="The text of a SEP file with Jinja2 expressions.")
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = "template"
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("name"),
                name="template_name_once_per_account",
                violation_error_message="There is a template of this name already.",
            ),
            # Nulls differ from one another in a unique index.
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(account=None),
                name="portal_template_name_once",
                violation_error_message="There is a template of this name already.",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="template_by_name"),
            models.Index(fields=["account", "name", "id"], name="template_of_account"),
            TextIndex(fields=["name", "description"], name="template_text"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = hashlib.sha256(self.text.encode()).hexdigest()
        if (fields := kwargs.get("update_fields")) is not None and "text" in fields:
            kwargs["update_fields"] = {*fields, "sha256"}
        super().save(*args, **kwargs)
