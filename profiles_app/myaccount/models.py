"""MyAccount profiles: what all customers, those of some groups, or one alone see and may do in the self-service portal.

A customer may be assigned one by hand; otherwise a rule chooses (`myaccount.services`).
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account, AccountGroup
from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex


class Availability(models.TextChoices):
    """In the order in which profiles are offered, which is also that of their names."""

    HEADLINE = "Headline", "Headline: offered first"
    STANDARD = "Standard", "Standard: offered"
    HISTORIC = "Historic", "Historic: kept for those who have it"


class MyAccountProfile(models.Model):
    """A portal profile. `account` is the operator it belongs to, `customer` the one customer it is restricted to.

    The primary key is the public id: both databases count on after a deletion, so that none is used twice.
    """

    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="own_myaccount_profiles",
        verbose_name="owner",
        help_text="The account that keeps this profile for itself and its customers; empty: the portal's own.",
    )
    name = models.CharField(max_length=255, help_text="For identification; used once per owner.")
    description = models.TextField(blank=True, help_text="What this profile is meant for.")
    availability = models.CharField(
        max_length=8,
        choices=Availability,
        default=Availability.STANDARD,
        help_text="Of several that fit a customer, a headline profile goes first; a historic one is never chosen anew.",
    )
    customer = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="myaccount_profiles",
        help_text="The one customer this profile is restricted to; leave empty for profiles meant for groups or all.",
    )
    customer_groups = models.ManyToManyField(
        AccountGroup, through="MyAccountProfileGroup", related_name="myaccount_profiles"
    )
    # Says what could be counted, so that the profiles for everybody can be found in an index.
    is_for_groups = models.BooleanField(default=False, editable=False)
    myaccount_flags = models.JSONField("MyAccount flags", default=list, blank=True)
    my_numbers = models.JSONField("MyNumbers", default=list, blank=True)
    my_campaigns = models.JSONField("MyCampaigns", default=list, blank=True)
    my_calls_enabled = models.BooleanField(
        "My Calls enabled", default=False, help_text="Show the section that reports calls."
    )
    my_calls_daily_cdr_access = models.BooleanField(
        "My Calls daily CDR access",
        default=False,
        help_text="Add daily call records. No effect unless My Calls is enabled.",
    )
    my_calls_use_backend_descriptions = models.BooleanField(
        "My Calls use backend descriptions",
        default=False,
        help_text="Also show sites, descriptions and campaigns that the operator keeps, not only the customer's own. "
        "No effect unless My Calls is enabled.",
    )
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    history = Tracked(quiet=["is_for_groups"])

    class Meta:
        ordering = ["pk"]
        verbose_name = "MyAccount profile"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "account",
                name="myaccount_profile_name_once",
                violation_error_message="There is a profile of this name already.",
            ),
            # Nulls differ from one another in a unique index, so the portal's own profiles need one of their own.
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(account=None),
                name="portal_myaccount_profile_name_once",
                violation_error_message="There is a profile of this name already.",
            ),
        ]
        indexes = [
            # Which profile a customer gets: the restricted ones of a customer, and the general ones of an owner.
            models.Index(fields=["customer", "availability", "id"], name="myaccount_profile_of_customer"),
            models.Index(
                fields=["account", "availability", "id"],
                condition=Q(customer=None, is_for_groups=False) & ~Q(availability=Availability.HISTORIC),
                name="myaccount_profile_general",
            ),
            models.Index(fields=["availability", "id"], name="myaccount_profile_offered"),
            models.Index(fields=["my_calls_enabled", "id"], name="myaccount_profile_calls"),
            models.Index(fields=["name", "id"], name="myaccount_profile_by_name"),
            TextIndex(fields=["name", "description"], name="myaccount_profile_text"),
        ]

    def __str__(self) -> str:
        return self.name


class MyAccountProfileGroup(models.Model):
    """A customer group that a profile applies to; the rows' order is that of the profile's list."""

    profile = models.ForeignKey(MyAccountProfile, on_delete=models.CASCADE, related_name="group_links")
    # A profile that lost its only group would be for everybody, so a group stays while a profile names it.
    group = models.ForeignKey(AccountGroup, on_delete=models.RESTRICT, related_name="profile_links")

    history = Tracked(part_of="profile")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["profile", "group"], name="myaccount_profile_group_once")]

    def __str__(self) -> str:
        return f"{self.profile} for {self.group}"


class CustomerProfile(models.Model):
    """The profile that a customer was assigned by hand. While it is assigned, it cannot be deleted."""

    customer = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="assigned_profile")
    profile = models.ForeignKey(MyAccountProfile, on_delete=models.RESTRICT, related_name="assignments")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        verbose_name = "assigned MyAccount profile"

    def __str__(self) -> str:
        return f"{self.profile} for {self.customer}"
