"""Callbacks at a glance: how many work, how many were switched off and by whom, and how deliveries fare."""

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.links import list_url
from contacts_app.core.admin.overview import Figure, Panel, panels_about, shares
from profiles_app.events.admin.callback import OFF_BY
from profiles_app.events.admin.delivery import of_last_day
from profiles_app.events.models.outbox import Delivery
from profiles_app.events.models.setup import Callback

State = Delivery.State
TONES = {State.DELIVERED: "good", State.PENDING: "busy", State.FAILED: "bad", State.SUPPRESSED: "gone"}


def panels(request: HttpRequest) -> list[Panel]:
    return [*panels_about(request, Callback, _of_callbacks), *panels_about(request, Delivery, _of_deliveries)]


def _of_callbacks(callbacks: QuerySet[Callback]) -> list[Panel]:
    counts = callbacks.aggregate(
        on=Count("pk", filter=Q(enabled=True)),
        portal=Count("pk", filter=OFF_BY["portal"]),
        person=Count("pk", filter=OFF_BY["person"]),
    )
    numbers = [
        Figure("enabled", counts["on"], list_url(Callback, enabled__exact=1), "good"),
        Figure("switched off by the portal", counts["portal"], list_url(Callback, off_by="portal"), "bad"),
        Figure("disabled", counts["person"], list_url(Callback, off_by="person"), "gone"),
    ]
    return [Panel("Callbacks", "bar", shares(numbers), empty="There are no callbacks yet.")]


def _of_deliveries(deliveries: QuerySet[Delivery]) -> list[Panel]:
    counts = dict(of_last_day(deliveries).values_list("state").annotate(Count("pk")))
    numbers = [
        Figure(
            state.label.lower(), counts.get(state, 0), list_url(Delivery, state__exact=state.value, within="24h"), tone
        )
        for state, tone in TONES.items()
    ]
    return [Panel("Deliveries of 24 hours", "bar", shares(numbers), empty="Nothing was to be delivered.")]
