"""Callbacks at a glance: how many work, and how many get nothing because they are disabled."""

from django.db.models import Count
from django.http import HttpRequest

from contacts_app.admin.overview import Number, Panel, list_url, rows_for, shares
from profiles_app.models import Callback


def panels(request: HttpRequest) -> list[Panel]:
    callbacks = rows_for(request, Callback)
    if callbacks is None:
        return []
    by_switch = dict(callbacks.values_list("enabled").annotate(Count("pk")))
    numbers = [
        Number("enabled", by_switch.get(True, 0), list_url(Callback, enabled__exact=1), "good"),
        Number("disabled", by_switch.get(False, 0), list_url(Callback, enabled__exact=0), "bad"),
    ]
    return [Panel("Callbacks", "bar", shares(numbers), empty="There are no callbacks yet.")]
