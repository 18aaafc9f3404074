"""Events and their deliveries: lists and pages, live while a delivery is under way; what has ended can be sent again."""

import json
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from contacts_app.core.admin import asked_work
from contacts_app.core.admin.base import RecordAdmin, allowed
from contacts_app.core.admin.columns import column, count_column
from contacts_app.core.admin.frame import actor_of, tell
from contacts_app.core.admin.links import label
from contacts_app.core.lists.among import among
from profiles_app.events.delivery_operations import replay, replayable
from profiles_app.events.delivery_run import of_last_day
from profiles_app.events.envelope import envelope, to_json
from profiles_app.events.models.outbox import Delivery, Event
from profiles_app.events.models.setup import Listener

DELIVERED_AGAIN = asked_work.register(
    asked_work.AskedKind(
        "delivered again",
        Delivery,
        lambda since: Q(state=Delivery.State.PENDING),
        failed=Q(state=Delivery.State.FAILED),
    )
)
# More callbacks than this seldom take one event; the list of deliveries has them all.
SHOWN = 50
TAGS_SHOWN = 2
COLOURS: dict[str, str] = {
    Delivery.State.PENDING: "info",
    Delivery.State.DELIVERED: "success",
    Delivery.State.FAILED: "danger",
    Delivery.State.SUPPRESSED: "warning",
}
# The encrypted columns of what a delivery belongs to: lists have no use for them.
OF_CALLBACK = ("callback__stored_config", "callback__signing_secret")


class LastDay(admin.SimpleListFilter):
    """What the first page of the admin counts."""

    title = "age"
    parameter_name = "within"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("24h", "The last 24 hours")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return of_last_day(queryset) if self.value() else queryset


def state_label(delivery: Delivery) -> str:
    waits = delivery.state == Delivery.State.PENDING and delivery.attempt_count
    return label(delivery.get_state_display(), "warning" if waits else COLOURS[delivery.state])


def labelled(deliveries: QuerySet[Delivery]) -> list[tuple[Delivery, str]]:
    """Deliveries with their callbacks' names, each beside its state as people see it."""
    rows = deliveries.select_related("callback").defer(*OF_CALLBACK)
    return [(delivery, state_label(delivery)) for delivery in rows]


def timeline(delivery: Delivery) -> dict[str, object]:
    """What the live part of the page shows."""
    # The deliveries to fallbacks are in the name of the same listener, a test is in nobody's. A fallback of several
    # callbacks is told once, in the name of the first that failed.
    same = Q(listener_id=delivery.listener_id) | Q(callback=delivery.callback.fallback_callback_id)
    hops = Delivery.objects.filter(same, event=delivery.event_id)
    return {
        "delivery": delivery,
        "listener": Listener.objects.select_related("extension").filter(pk=delivery.listener_id or 0).first(),
        "state": state_label(delivery),
        "attempts": delivery.attempts.order_by("pk"),
        "is_open": delivery.state == Delivery.State.PENDING,
        "hops": labelled(hops.order_by("hop", "pk")),
    }


@admin.register(Event)
class EventAdmin(RecordAdmin):
    list_display = ("tags_here", "object_here", "when", "delivery_count", "account")
    list_display_links = ("tags_here",)
    list_select_related = ("account",)
    list_filter = ("account", "created_at")
    search_fields = ("=uuid", "=data_object_uuid", "=data_type")
    search_help_text = "UUID of the event or of its object, or the data type"
    change_form_template = "profiles_app/events/event.html"
    delivery_count = count_column("deliveries", "Deliveries")
    object_here = column(
        "Object", lambda row: [row.data_type, row.data_object_uuid or ""], ordering="data_type", header=True
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("stored_data")

    def shown(self, request: HttpRequest, row: Event) -> dict[str, Any]:
        return {
            "title": f"Event {' '.join(row.tags)}",
            "event": row,
            "data": json.dumps(row.data, indent=2, ensure_ascii=False),
            "may_see_deliveries": request.user.has_perm("profiles_app.view_delivery"),
            "deliveries": labelled(row.deliveries.order_by("pk")[:SHOWN]),
        }

    @display(description="Tags")
    def tags_here(self, event: Event) -> SafeString:
        shown = format_html_join("", '<span class="pb-chip">{}</span>', ((tag,) for tag in event.tags))
        return shown or format_html("without tags")


@admin.register(Delivery)
class DeliveryAdmin(RecordAdmin):
    list_display = ("event_here", "callback_here", "state_here", "attempt_count", "when", "why", "account")
    list_display_links = ("event_here",)
    list_select_related = ("account", "event", "callback")
    list_filter = ("state", "callback", "account", LastDay, "created_at")
    search_fields = ("=event__uuid", "=event__data_object_uuid", "callback__name")
    search_help_text = "UUID of the event or of its object, or the callback"
    change_form_template = "profiles_app/events/delivery.html"
    live_template = "profiles_app/events/delivery_timeline.html"
    may_act = "profiles_app.change_delivery"
    pages = {"timeline": "<int:pk>/timeline/", "replay": "<int:pk>/replay/"}
    actions = ["replay_selected"]
    has_replay_permission = allowed(may_act)
    timeline_page = RecordAdmin.live_page
    state_here = column("State", state_label, ordering="state")
    why = column("Why", attrgetter("outcome"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related(*self.list_select_related)
        return rows.defer("event__stored_data", *OF_CALLBACK)

    def shown(self, request: HttpRequest, row: Delivery) -> dict[str, Any]:
        context = super().shown(request, row)
        body = envelope(row.event, row.callback, row.listener_id, context["listener"])
        return context | {"envelope": to_json(body, indent=2)}

    def live(self, request: HttpRequest, row: Delivery) -> dict[str, object]:
        return timeline(row)

    def replay_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.act(request, pk, lambda row: self._replay(request, Delivery.objects.filter(pk=row.pk)))

    @action(description="Deliver the selected ones again", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        self._replay(request, Delivery.objects.filter(pk__in=queryset.order_by().values("pk")))

    def _replay(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        keys = list(replayable(deliveries, actor_of(request)).order_by().values_list("pk", flat=True))
        again = Delivery.objects.filter(pk__in=among(keys))
        count = replay(again, actor_of(request))
        asked_work.note(request, DELIVERED_AGAIN, again)
        tell(request, count, f"On their way again: {count}. What is still pending is left alone.")

    @display(description="Event")
    def event_here(self, delivery: Delivery) -> SafeString:
        """The general tag and the particular one; the page has them all."""
        tags = delivery.event.tags
        shown = format_html_join(" ", '<span class="pb-tag">{}</span>', ((tag,) for tag in tags[:TAGS_SHOWN]))
        if len(tags) > TAGS_SHOWN:
            shown += format_html(' <span class="pb-quiet">+{}</span>', len(tags) - TAGS_SHOWN)
        return shown or format_html("without tags")

    @display(description="Callback")
    def callback_here(self, delivery: Delivery) -> str:
        return f"{delivery.callback}{f', fallback {delivery.hop}' if delivery.hop else ''}"
