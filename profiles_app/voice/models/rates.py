"""What calls cost: rate tables of the operator, each a price for every prefix of destinations that it knows."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from contacts_app.core.history.models import Tracked
from contacts_app.core.lists.search import TextIndex

# A number has at most 15 digits (ITU-T E.164); an hour is the longest interval that anybody bills by.
LONGEST_NUMBER, LONGEST_INTERVAL = 15, 3600
check_prefix = RegexValidator(rf"\A[0-9]{{1,{LONGEST_NUMBER}}}\Z", "Must be 1 to 15 digits.")
PRICE: dict[str, Any] = {"max_digits": 12, "decimal_places": 6}


class RateTable(models.Model):
    """Prices for outbound voice profiles (voice admission spec §3). It is the operator's: customers do not see it."""

    name = models.CharField(max_length=100, unique=True)
    is_default = models.BooleanField(
        "default", default=False, help_text="For outbound voice profiles that name no rate table."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked()

    class Meta:
        ordering = ["name"]
        indexes = [TextIndex(fields=["name"], name="rate_table_text")]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_rate_table")
        ]

    def __str__(self) -> str:
        return self.name


class Rate(models.Model):
    """The price of destinations that begin with a prefix. The longest prefix counts."""

    table = models.ForeignKey(RateTable, on_delete=models.CASCADE, related_name="rates", db_index=False)
    prefix = models.CharField(
        max_length=LONGEST_NUMBER,
        validators=[check_prefix],
        help_text="First digits of the number in international form, such as 4420.",
    )
    destination = models.CharField(max_length=100, blank=True, help_text="Name of the destination, for people.")
    price = models.DecimalField(**PRICE, validators=[MinValueValidator(0)], help_text="US dollars per minute.")
    interval = models.PositiveSmallIntegerField(
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_INTERVAL)],
        help_text="Seconds that calls are billed by: 60 per started minute, 1 per second.",
    )
    is_allowed = models.BooleanField("allowed", default=True, help_text="Calls to it are refused where this is off.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    history = Tracked(part_of="table")

    class Meta:
        ordering = ["prefix", "pk"]
        indexes = [
            models.Index(fields=["prefix", "id"], name="rate_by_prefix"),
            models.Index(fields=["table", "prefix", "id"], name="rate_of_table"),
            models.Index(fields=["is_allowed", "prefix", "id"], name="rate_by_allowance"),
            models.Index(fields=["price", "id"], name="rate_by_price"),
            TextIndex(fields=["destination"], name="rate_text"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["table", "prefix"], name="one_rate_per_prefix"),
            models.CheckConstraint(
                name="rates_have_a_price_and_an_interval", condition=Q(price__gte=0, interval__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix} {self.destination}".strip()
