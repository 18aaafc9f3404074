"""Callbacks: where events go. Saving sends nothing unless it enables; the URL is tried by a button of its own."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from unfold.decorators import action, display

from contacts_app.core.admin.base import allowed, button
from contacts_app.core.admin.columns import column, count_column
from contacts_app.core.admin.frame import actor_of, tell
from contacts_app.core.admin.links import list_url, page_of
from contacts_app.core.history.records import update_recorded
from contacts_app.people.models import REVEAL
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
from profiles_app.events.callback_changes import (
    Changed,
    InUse,
    delete_callback,
    make_ready,
    probe,
    renew_signing_secret,
    update_callback,
)
from profiles_app.events.callback_config import masked_config
from profiles_app.events.callback_health import Period, begin_anew, health_of
from profiles_app.events.delivery_operations import send_test_event
from profiles_app.events.models.outbox import Delivery
from profiles_app.events.models.setup import Callback, Level

GENERAL = ("account", "extension", "name", "enabled", "profile", "fallback_callback", "mode")
# Both of them as the indexes have it.
OFF_BY = {"portal": Q(enabled=False, disabled_at__isnull=False), "person": Q(enabled=False, disabled_at=None)}


class OffBy(admin.SimpleListFilter):
    title = "switched off"
    parameter_name = "off_by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("portal", "By the portal"), ("person", "By a person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(OFF_BY.get(self.value() or "", Q()))


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
    list_filter = ("mode", "enabled", OffBy, "account", "profile")
    search_fields = ("name", "target", "account__name")
    search_help_text = "Name, host, email address or account"
    autocomplete_fields = ("account", "extension", "profile", "fallback_callback")
    readonly_fields = ("id", "configuration", "switched_off", "health")
    title = column("Callback", lambda row: row.name or f"Callback {row.pk}", ordering="name")
    listener_count = count_column("listeners", "Listeners")
    has_reveal_permission = allowed(REVEAL)
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

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Webhooks are changed with the profile that they are of; here they are enabled again, from the list."""
        is_webhook = isinstance(obj, Callback) and bool(obj.webhook_key)
        return super().has_change_permission(request, obj) and not is_webhook

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
        tell(request, done, f"{_number(done)} now enabled.")

    @action(description="Disable the selected callbacks", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Callback]) -> None:
        turned = list(queryset.filter(enabled=True))
        update_recorded(Callback.objects.filter(pk__in=[callback.pk for callback in turned]), enabled=False)
        for callback in turned:
            self.log_change(request, callback, "Disabled.")
        tell(request, turned, f"{_number(len(turned))} now disabled.")

    @action(description="Save and test the URL", permissions=["change"])
    def save_and_test(self, request: HttpRequest, obj: Callback) -> None:
        self._try(request, obj)

    @button(
        "Test now…",
        question='Send {{"test": 1}} to {0.target}, as when the callback was created?',
        yes="Send",
        icon="science",
    )
    def test(self, request: HttpRequest, callback: Callback) -> None:
        self._try(request, callback)

    @button(
        "Send test event…",
        question="Deliver an event with the tag test-event to {0.target}, signed, with all attempts?",
        yes="Send",
        logged="Was sent a test event.",
        done="The event is on its way.",
        icon="send",
    )
    def test_event(self, request: HttpRequest, callback: Callback) -> HttpResponse | None:
        """An event on the way that all others go, and to the page on which it can be watched."""
        delivery = send_test_event(callback, actor_of(request))
        may_watch = request.user.has_perm("profiles_app.view_delivery")
        return HttpResponseRedirect(page_of(delivery)) if may_watch else None

    @button(
        "New signing secret…",
        question="Give {0} a new secret to sign with? Receivers that check the former one refuse events.",
        yes="New secret",
        logged="Was given a new signing secret.",
        icon="key",
    )
    def new_signing_secret(self, request: HttpRequest, callback: Callback) -> HttpResponse:
        secret = renew_signing_secret(callback)
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
        text = "By the portal, {}. {} Enabling it asks the URL again."
        return format_html(text, ago(callback.disabled_at), callback.disabled_reason)

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


def _number(callbacks: int) -> str:
    return "1 callback is" if callbacks == 1 else f"{callbacks} callbacks are"


def _words(refusal: ValidationError | Changed) -> str:
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)
