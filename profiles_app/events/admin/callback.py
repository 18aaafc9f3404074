"""Callbacks: where events go. Saving sends nothing unless it enables; the URL is tried by a button of its own."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display

from contacts_app.core.admin.base import TenantFilter, count_of
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.overview import list_url
from contacts_app.core.history.records import update_recorded
from contacts_app.templatetags.moments import ago
from profiles_app.events.admin.callback_form import (
    APPLICATION_FIELDS,
    EMAIL_FIELDS,
    HTTP_FIELDS,
    RATE_FIELDS,
    CallbackForm,
    visible_fields,
)
from profiles_app.events.admin.listener import EventsObjectAdmin
from profiles_app.events.callback import (
    Level,
    delete_callback,
    make_ready,
    probe,
    renew_signing_secret,
    update_callback,
)
from profiles_app.events.callback_config import masked_config
from profiles_app.events.callback_state import Period, begin_anew, health_of
from profiles_app.events.channel import Changed, InUse
from profiles_app.events.delivery import send_test_event
from profiles_app.events.models.outbox import Delivery
from profiles_app.events.models.setup import Callback

REVEAL = "contacts_app.reveal_secrets"
GENERAL = ("account", "extension", "name", "enabled", "profile", "fallback_callback", "mode")
# Both of them as the indexes have it.
OFF_BY = {
    "portal": Q(enabled=False, disabled_at__isnull=False),
    "person": Q(enabled=False, disabled_at=None),
}


Asked = Callable[["CallbackAdmin", HttpRequest, Callback, str], HttpResponse]


class OffBy(admin.SimpleListFilter):
    title = "switched off"
    parameter_name = "off_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("portal", "By the portal"), ("person", "By a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(OFF_BY.get(self.value() or "", Q()))


def page_of(row: Callback | Delivery) -> str:
    return reverse(f"admin:profiles_app_{row._meta.model_name}_change", args=[row.pk])


def asks(question: str, button: str) -> Callable[[Asked], Callable[..., HttpResponse]]:
    """An action on the page of a callback, carried out once the person has confirmed it there."""

    def decorate(act: Asked) -> Callable[..., HttpResponse]:
        @wraps(act)
        def asked(self: "CallbackAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
            callback = self.row_or_404(request, object_id)
            words, back = question.format(callback=callback), page_of(callback)
            page = self.confirmed(request, question=words, button=button, back=back)
            return page or act(self, request, callback, back)

        return asked

    return decorate


def tone_of(period: Period) -> str:
    """The colour of an hour: the worst that happened in it."""
    tones = ((period.failed, "bad"), (period.timeout, "wait"), (period.success, "good"))
    return next((tone for count, tone in tones if count), "rest")


@admin.register(Callback)
class CallbackAdmin(EventsObjectAdmin):
    form = CallbackForm
    conditional_fields = visible_fields()
    list_display = ("title", "target", "mode", "enabled", "place", "profile", "listener_count")
    list_display_links = ("title",)
    list_select_related = ("account", "extension", "profile")
    list_filter = (
        ("mode", ChoicesCheckboxFilter),
        "enabled",
        OffBy,
        ("account", TenantFilter),
        ("profile", TenantFilter),
    )
    search_fields = ("name", "target", "account__name")
    search_help_text = "Name, host, email address or account"
    autocomplete_fields = ("account", "extension", "profile", "fallback_callback")
    actions = ["enable", "disable"]
    actions_detail = [
        "test",
        "test_event",
        {"title": "Secrets", "icon": "key", "items": ["reveal", "new_signing_secret"]},
    ]
    actions_submit_line = ["save_and_test"]
    fieldsets = (
        (None, {"fields": GENERAL}),
        ("Delivery", {"fields": (*HTTP_FIELDS, *EMAIL_FIELDS, *APPLICATION_FIELDS, RATE_FIELDS)}),
        ("Record", {"fields": ("id",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(listeners_here=count_of(Callback, "listeners"))

    def get_fieldsets(self, request: HttpRequest, obj: Callback | None = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        switched_off = ["switched_off"] if obj.disabled_reason else []
        after = GENERAL.index("enabled") + 1
        general = (*GENERAL[:after], *switched_off, *GENERAL[after:])
        health = ("The last 24 hours", {"fields": ("health",)})
        if self.has_change_permission(request, obj):
            _, *others = super().get_fieldsets(request, obj)
            return (health, (None, {"fields": general}), *others)
        return (health, (None, {"fields": (*general, "configuration")}), ("Record", {"fields": ("id",)}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "configuration", "switched_off", "health")

    def save_model(self, request: HttpRequest, obj: Callback, form: Any, change: bool) -> None:
        obj.config = form.config
        obj.name = obj.name or None  # REST says null for none.
        if change and obj.enabled and "enabled" in form.changed_data:
            begin_anew(obj)
        make_ready(obj)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Callback) -> None:
        try:
            delete_callback(obj)
        except InUse as refusal:
            raise PermissionDenied(refusal.message) from None

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for callback in queryset:
            self.delete_model(request, callback)

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Named in the action itself, the permission would be looked up before there is a database.
        return bool(request.user.has_perm(REVEAL))

    @action(description="Enable the selected callbacks", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        """As by REST: the URL of each is asked, and one that does not answer stays disabled."""
        done = 0
        for callback in queryset.filter(enabled=False):
            try:
                update_callback(callback, level=Level.of(callback), given={"enabled": True})
            except (ValidationError, Changed) as refusal:
                messages.error(request, f"{callback} stays disabled: {_words(refusal)}")
                continue
            self.log_change(request, callback, "Enabled.")
            done += 1
        self._tell_switched(request, done, "enabled")

    @action(description="Disable the selected callbacks", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        turned = list(queryset.filter(enabled=True))
        update_recorded(Callback.objects.filter(pk__in=[callback.pk for callback in turned]), enabled=False)
        for callback in turned:
            self.log_change(request, callback, "Disabled.")
        self._tell_switched(request, len(turned), "disabled")

    def _tell_switched(self, request: HttpRequest, count: int, word: str) -> None:
        say = messages.success if count else messages.warning
        say(request, f"{count} {'callback is' if count == 1 else 'callbacks are'} now {word}.")

    @action(description="Save and test the URL", permissions=["change"])
    def save_and_test(self, request: HttpRequest, obj: Callback) -> None:
        self._try(request, obj)

    @action(description="Test now…", icon="science", permissions=["change"])
    @asks('Send {{"test": 1}} to {callback.target}, as when the callback was created?', "Send")
    def test(self, request: HttpRequest, callback: Callback, back: str) -> HttpResponse:
        self._try(request, callback)
        return HttpResponseRedirect(back)

    @action(description="Send test event…", icon="send", permissions=["change"])
    @asks("Deliver an event with the tag test-event to {callback.target}, signed, with all attempts?", "Send")
    def test_event(self, request: HttpRequest, callback: Callback, back: str) -> HttpResponse:
        """An event on the way that all others go, and to the page on which it can be watched."""
        delivery = send_test_event(callback, actor_of(request))
        self.log_change(request, callback, "Was sent a test event.")
        messages.success(request, "The event is on its way.")
        may_watch = request.user.has_perm("profiles_app.view_delivery")
        return HttpResponseRedirect(page_of(delivery) if may_watch else back)

    @action(description="New signing secret…", icon="key", permissions=["change"])
    @asks(
        "Give {callback} a new secret to sign with? Receivers that check the former one refuse events.",
        "New secret",
    )
    def new_signing_secret(self, request: HttpRequest, callback: Callback, back: str) -> HttpResponse:
        secret = renew_signing_secret(callback)
        self.log_change(request, callback, "Was given a new signing secret.")
        return self._unkept_page(request, callback, "signing_secret", secret=secret)

    @action(description="Show secrets", icon="visibility", permissions=["reveal"])
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The configuration as it is sent; that somebody has seen it is written down."""
        callback = self.row_or_404(request, object_id)
        self.log_change(request, callback, "Was shown the configuration with its secrets.")
        text = json.dumps(callback.config, indent=2, ensure_ascii=False)
        return self._unkept_page(request, callback, "config", text=text)

    def _try(self, request: HttpRequest, callback: Callback) -> None:
        tried = probe(callback)
        say = messages.success if tried.ok else messages.error
        say(request, f"Test: {tried.message}")

    def _unkept_page(self, request: HttpRequest, callback: Callback, name: str, **shown: str) -> HttpResponse:
        """A page with secrets, which no cache keeps."""
        template = f"profiles_app/events/callback_{name}.html"
        page = self.page(request, template, str(callback), back=page_of(callback), **shown)
        add_never_cache_headers(page)
        return page

    @display(description="Switched off")
    def switched_off(self, callback: Callback) -> str:
        return format_html(
            "By the portal, {}. {} Enabling it asks the URL again.",
            ago(callback.disabled_at),
            callback.disabled_reason,
        )

    @display(description="Requests by the hour")
    def health(self, callback: Callback) -> str:
        periods = list(reversed(health_of(callback)))
        context = {
            "periods": [(period, tone_of(period)) for period in periods],
            "total": sum(period.total for period in periods),
            "failed": sum(period.failed + period.timeout for period in periods),
            "deliveries": list_url(Delivery, callback__id__exact=callback.pk),
        }
        return render_to_string("profiles_app/events/callback_health.html", context)

    @display(description="Configuration")
    def configuration(self, callback: Callback) -> str:
        # A URL is as often secret as a header is.
        config = masked_config(callback.config)
        shown = {name: value for name, value in config.items() if name not in ("url", "headers")}
        return f"{callback.target}: {json.dumps(shown, ensure_ascii=False)}"

    @display(description="Callback", ordering="name")
    def title(self, callback: Callback) -> str:
        return callback.name or f"Callback {callback.pk}"

    @display(description="Listeners")
    def listener_count(self, callback: Any) -> int:
        return int(callback.listeners_here)


def _words(refusal: ValidationError | Changed) -> str:
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)
