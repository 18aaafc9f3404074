"""What people set up for themselves on lists of the admin: filters that they saved, and the columns that they want."""

from django.conf import settings
from django.db import models

NAME_LENGTH = 100


class OwnOfList(models.Model):
    """`list` is the label of the listed model. Only the person who made these rows sees or changes them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    list = models.CharField(max_length=100)

    class Meta:
        abstract = True
        default_permissions = ()


class SavedFilter(OwnOfList):
    """`query` is what the address of the list said: search, filters and, by the names of the columns, the order."""

    name = models.CharField(max_length=NAME_LENGTH)
    query = models.TextField()
    fits = models.BooleanField(default=True, help_text="The list understood it when it was asked for last.")

    class Meta(OwnOfList.Meta):
        ordering = ("name",)
        constraints = [models.UniqueConstraint(fields=["user", "list", "name"], name="one_saved_filter_of_a_name")]

    def __str__(self) -> str:
        return self.name


class ListColumns(OwnOfList):
    """`shown` says of columns, by name, whether they are shown; of all others the list decides."""

    shown = models.JSONField(default=dict)

    class Meta(OwnOfList.Meta):
        constraints = [models.UniqueConstraint(fields=["user", "list"], name="columns_of_a_list_once")]

    def __str__(self) -> str:
        return self.list
