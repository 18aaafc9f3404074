"""What the objects of the events integration have in common: they live at an account or at an extension of it."""

from django.core.exceptions import ValidationError
from django.db import models

from contacts_app.models import Account, Extension


class EventsObject(models.Model):
    """An object of an account or, where `extension` is set, of one extension (events spec §3.1)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False)
    extension = models.ForeignKey(
        Extension,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        db_index=False,
        help_text="Empty: it belongs to the account as a whole.",
    )

    class Meta:
        abstract = True
        ordering = ["-id"]
        # Lists are by account or by extension, ordered by id: these serve them, and the foreign keys.
        indexes = [
            models.Index(fields=["account", "id"], name="%(class)s_of_account"),
            models.Index(fields=["extension", "id"], name="%(class)s_of_extension"),
        ]

    @property
    def voip_id(self) -> int:
        return self.account.voip_id

    @property
    def extension_number(self) -> int | None:
        return self.extension.number if self.extension else None

    def clean(self) -> None:
        super().clean()
        if self.extension and self.account_id and self.extension.account_id != self.account_id:
            raise ValidationError({"extension": "This extension belongs to another account."})
