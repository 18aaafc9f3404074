"""Phones on their way from one firmware to another, in a rollout of firmware (boot server spec §9)."""

from django.db import models
from django.db.models import Q

from contacts_app.accounts.models import Account
from phones_app.inventory.models import Phone
from phones_app.rollout.models import RolloutMember
from profiles_app.phone.models import MacAddressField


class Upgrade(models.Model):
    """One phone of a rollout with its way. How it stands says the member: its deployment, and what follows that.

    `way` are the loads that the phone gets one after the other; `step` is the index of the one that it gets now. `steps`
    are objects by that index: the load, the deployment, what was fetched, what was reported and when.
    """

    member = models.OneToOneField(RolloutMember, on_delete=models.CASCADE, related_name="upgrade")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="upgrades", db_index=False)
    phone = models.ForeignKey(Phone, null=True, on_delete=models.SET_NULL, related_name="upgrades", db_index=False)
    mac = MacAddressField("MAC address")
    before = models.CharField(max_length=128, blank=True, help_text="The load that the phone had.")
    way = models.JSONField(default=list)
    step = models.PositiveSmallIntegerField(default=0)
    steps = models.JSONField(default=list)
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often this step was begun anew.")
    due_at = models.DateTimeField(null=True, help_text="When it is looked at again; empty: when something happens.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="upgrade_due"),
            models.Index(fields=["phone", "-id"], name="upgrade_of_phone"),
            models.Index(fields=["account", "-id"], name="upgrade_of_account"),
            models.Index(fields=["mac", "-id"], name="upgrade_by_mac"),
        ]

    def __str__(self) -> str:
        return f"{self.mac} to {self.target}"

    @property
    def load(self) -> str:
        """The one that the phone gets now."""
        return str(self.way[self.step])

    @property
    def target(self) -> str:
        return str(self.way[-1])

    @property
    def is_at_last_step(self) -> bool:
        return self.step + 1 >= len(self.way)
