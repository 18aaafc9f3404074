"""Key layouts: what the keys of a phone and of its expansion modules do, by their positions (configuration spec §1)."""

import uuid

from django.db import models
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex
from profiles_app.phone.models.profile import PhoneProfile


class KeyLayout(models.Model):
    """A named list of keys, which is read and written as a whole. Layers say which phones have it.

    `keys` are objects with the fields of `rendering.values.KeyOf`, `modules` names of expansion modules from the left.
    """

    uuid = models.UUIDField("UUID", default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="key_layouts",
        db_index=False,
        help_text="Whose layout it is; empty: everybody's.",
    )
    own_of = models.OneToOneField(
        PhoneProfile,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.CASCADE,
        related_name="own_keys",
        help_text="The person of this profile has set these keys.",
    )
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    keys = models.JSONField(default=list, blank=True)
    modules = models.JSONField("expansion modules", default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("name"),
                name="key_layout_name_once_per_account",
                violation_error_message="There is a key layout of this name already.",
            ),
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(account=None),
                name="portal_key_layout_name_once",
                violation_error_message="There is a key layout of this name already.",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="key_layout_by_name"),
            models.Index(fields=["account", "name", "id"], name="key_layout_of_account"),
            TextIndex(fields=["name", "description"], name="key_layout_text"),
        ]

    def __str__(self) -> str:
        return self.name
