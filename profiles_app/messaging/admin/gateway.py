"""Message gateways: how they are spoken to, a test message, and the credential for their receipts.

URLs, headers and bodies hold keys as often as not: people who may not see secrets get none of them, and what they leave
empty stays as it is.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import add_never_cache_headers
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin, allowed, button
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.forms import SecretField
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.core.errors import Refusal
from contacts_app.core.values import masked_url
from contacts_app.core.work import clock
from contacts_app.people.models import REVEAL
from profiles_app.events.callback_config import place_of
from profiles_app.messaging.models import NumberLease
from profiles_app.messaging.sending.gateways.http import checked_headers, checked_template
from profiles_app.messaging.sending.models import MessageGateway
from profiles_app.messaging.sending.outbox import MOST_TEXT, Draft, submit_one
from profiles_app.messaging.sending.receipts import new_credential

Kind = MessageGateway.Kind
# What may hold secrets; the password is never shown to anybody.
SECRETS = ("url", "headers", "body", "password")
HTTP_FIELDS = ("url", "method", "headers", "body", "id_path", "error_path", "is_idempotent")
SMPP_FIELDS = ("host", "port", "use_tls", "system_id", "password", "system_type")
KEPT = "One is stored; leave this empty to keep it."
TYPE_AGAIN = "The gateway is at another address, or has another account there: type this again."
# What is sent by which kind of gateway. A template of nothing and no headers are no secrets.
SENT_BY = {"headers": Kind.HTTP, "body": Kind.HTTP, "password": Kind.SMPP}
NO_SECRET = ("", "{}")
NUMBERS_OFFERED = 500


class GatewayForm(forms.ModelForm):  # type: ignore[type-arg]
    reveals = False
    password = SecretField(label="Password")

    class Meta:
        model = MessageGateway
        fields = "__all__"  # noqa: DJ007 -- the page's fieldsets say which
        widgets = {
            "url": UnfoldAdminTextInputWidget,
            "headers": UnfoldAdminTextareaWidget,
            "body": UnfoldAdminTextareaWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = {name: getattr(self.instance, name) for name in SECRETS}
        for name in SECRETS:
            hidden = name == "password" or (self.instance.pk and not self.reveals)
            if hidden and name in self.fields:
                self.initial[name] = ""
                if self.stored[name] and self.instance.pk:
                    self.fields[name].help_text = KEPT

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in SECRETS:
            hidden = name == "password" or (self.instance.pk and not self.reveals)
            if hidden and name in given and not given[name]:
                given[name] = self._kept(name, given)
        for name, check in (("headers", checked_headers), ("body", checked_template)):
            try:
                check(given.get(name) or "")
            except forms.ValidationError as error:
                self.add_error(name, error)
        needed = {Kind.HTTP: ("url",), Kind.SMPP: ("host", "system_id")}.get(given.get("kind", Kind.SIMULATED), ())
        for name in needed:
            if name in self.fields and not given.get(name) and name not in self.errors:
                self.add_error(name, "This field is required.")
        return given

    def _kept(self, name: str, given: dict[str, Any]) -> str:
        """What is stored, unless it would go to another server than the one that it was typed for."""
        kept: str = self.stored[name]
        if name not in SENT_BY or kept in NO_SECRET or not self._is_elsewhere(SENT_BY[name], given):
            return kept
        if given.get("kind") == SENT_BY[name]:
            self.add_error(name, TYPE_AGAIN)
        # Django leaves the row as it is where an empty field was not sent at all.
        setattr(self.instance, name, "")
        return ""

    def _is_elsewhere(self, kind: str, given: dict[str, Any]) -> bool:
        if kind == Kind.HTTP:
            return place_of(given.get("url", "")) != place_of(self.stored["url"])
        return any(given.get(name) != getattr(self.instance, name) for name in ("host", "port", "system_id"))


class TestMessageForm(forms.Form):
    lease = forms.ModelChoiceField(NumberLease.objects.none(), label="From", widget=UnfoldAdminSelectWidget)
    to = forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget, help_text="In international form.")
    text = forms.CharField(max_length=MOST_TEXT, widget=UnfoldAdminTextInputWidget, initial="A test of Patchbay.")


@admin.register(MessageGateway)
class MessageGatewayAdmin(PortalAdmin):
    form = GatewayForm
    tenant_shares = True
    conditional_fields = {
        **dict.fromkeys(HTTP_FIELDS, f"kind == '{Kind.HTTP}'"),
        **dict.fromkeys(SMPP_FIELDS, f"kind == '{Kind.SMPP}'"),
    }
    list_display = ("name", "kind", "place", "account", "enabled", "priority", "updated_at")
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("name", "account__name")
    search_help_text = "Name or account"
    ordering = ("name",)
    autocomplete_fields = ("account",)
    chosen_once = ("account",)
    readonly_fields = ("uuid", "place", "has_credential", "created_at", "updated_at")
    actions_detail = ["send_test", "new_receipt_credential"]
    pages = {"test": "<int:pk>/test/"}
    has_test_permission = allowed("profiles_app.add_message")
    _reveals = allowed(REVEAL)
    has_credential = column("Receipt credential", lambda row: "Issued" if row.receipt_digest else "None yet")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.reveals = self._reveals(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: MessageGateway | None = None) -> Any:
        """Who only looks gets no form, and so nothing that may be secret."""
        looks_only = obj is not None and not self.has_change_permission(request, obj)
        shown = tuple(name for name in (*HTTP_FIELDS, *SMPP_FIELDS) if not (looks_only and name in SECRETS))
        return (
            (None, {"fields": ("name", "account", "kind", "enabled", "priority")}),
            ("Connection", {"fields": (*(("place",) if obj else ()), *shown)}),
            ("Record", {"fields": ("uuid", "has_credential", ("created_at", "updated_at"))}),
        )

    def save_model(self, request: HttpRequest, obj: MessageGateway, form: Any, change: bool) -> None:
        obj.listen_at = clock.now() if obj.kind == Kind.SMPP else None
        super().save_model(request, obj, form, change)

    @display(description="Place")
    def place(self, gateway: MessageGateway) -> str:
        if gateway.kind == Kind.SMPP:
            return f"{gateway.host}:{gateway.port}"
        return masked_url(gateway.url) if gateway.kind == Kind.HTTP else "–"

    @action(description="Send a test…", icon="send", permissions=["test"])
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("test", self.row_or_404(request, object_id).pk))

    def test_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A message on the way that all others go, but through this gateway."""
        self.require(request, "profiles_app.add_message")
        gateway = self.row_or_404(request, pk)
        form = TestMessageForm(request.POST if request.method == "POST" else None)
        field: Any = form.fields["lease"]
        field.queryset = self._numbers(request, gateway)
        if form.is_bound and form.is_valid():
            given = form.cleaned_data
            lease, draft = given["lease"], Draft(to=given["to"], text=given["text"])
            who = {"profile": lease.messaging_profile, "lease": lease, "actor": actor_of(request)}
            try:
                message = submit_one(lease.account, draft, gateway=gateway, **who)
            except Refusal as refusal:
                messages.error(request, refusal.message)
            else:
                self.log_change(request, gateway, "Was sent a test message.")
                messages.success(request, "The message is on its way.")
                return HttpResponseRedirect(page_of(message))
        template = "profiles_app/messaging/send_test.html"
        return self.page(request, template, f"Test of {gateway}", gateway=gateway, form=form, back=page_of(gateway))

    def _numbers(self, request: HttpRequest, gateway: MessageGateway) -> Any:
        numbers = self.admin_site.get_model_admin(NumberLease)
        if not numbers.has_view_permission(request):
            return NumberLease.objects.none()
        rows: Any = numbers.tenant_rows(request)  # type: ignore[attr-defined]
        if gateway.account_id:
            rows = rows.filter(account=gateway.account_id)
        keys = list(rows.order_by("tn").values_list("pk", flat=True)[:NUMBERS_OFFERED])
        return NumberLease.objects.filter(pk__in=keys).select_related("account", "messaging_profile").order_by("tn")

    @button(
        "New receipt credential…",
        question="Give {0} a new credential for receipts? The former one is refused from then on.",
        yes="New credential",
        logged="Was given a new receipt credential.",
        icon="key",
    )
    def new_receipt_credential(self, request: HttpRequest, gateway: MessageGateway) -> HttpResponse:
        shown = {"secret": new_credential(gateway), "words": CREDENTIAL_WORDS}
        template = "profiles_app/events/callback_signing_secret.html"
        page = self.page(request, template, str(gateway), back=page_of(gateway), **shown)
        add_never_cache_headers(page)
        return page


CREDENTIAL_WORDS = (
    "Copy the credential now: this is the only time it is shown. The gateway sends it as bearer token with its receipts, "
    "and the former one has ended."
)
