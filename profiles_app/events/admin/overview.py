"""Callbacks at a glance: how many work, how many were switched off and by whom, and how deliveries fare."""

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url
from contacts_app.core.admin.overview import Figure, Panel, panels_about, shares
from contacts_app.core.tally.service import Tallied
from profiles_app.events.admin.callback import OFF_BY
from profiles_app.events.delivery_run import LAST_DAY
from profiles_app.events.models.outbox import Delivery
from profiles_app.events.models.setup import Callback

State = Delivery.State
TONES = {State.DELIVERED: "good", State.PENDING: "busy", State.FAILED: "bad", State.SUPPRESSED: "gone"}


def panels(request: HttpRequest) -> list[Panel]:
    return [
        *panels_about(request, Callback, _of_callbacks),
        *panels_about(request, Delivery, lambda rows: _of_deliveries(LAST_DAY.numbers(actor_of(request), rows))),
    ]


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


def _of_deliveries(counted: Tallied) -> list[Panel]:
    numbers = [
        Figure(state.label.lower(), counted.by[(state.value,)], _deliveries_in(state.value), tone)
        for state, tone in TONES.items()
    ]
    return [
        Panel("Deliveries of 24 hours", "bar", shares(numbers), empty="Nothing was to be delivered.", at=counted.at)
    ]


def _deliveries_in(state: str) -> str:
    return list_url(Delivery, state__exact=state, within="24h")
