"""Which MyAccount profile a customer was assigned by hand, against the rule that chooses one otherwise."""

from django.db import models

from contacts_app.models import Account
from contacts_app.models.history import Tracked
from profiles_app.models.myaccount_profile import MyAccountProfile


class CustomerProfile(models.Model):
    """The profile that a customer was assigned by hand. Assigned to somebody, it cannot be deleted."""

    customer = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="assigned_profile")
    profile = models.ForeignKey(MyAccountProfile, on_delete=models.RESTRICT, related_name="assignments")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        verbose_name = "assigned MyAccount profile"

    def __str__(self) -> str:
        return f"{self.profile} for {self.customer}"
