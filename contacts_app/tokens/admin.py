"""Tokens of programs and login sessions of people. A token is in the answer that made it and nowhere else."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from unfold.decorators import display

from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin, allowed, button
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.forms import SameAccountForm
from contacts_app.core.admin.links import page_of
from contacts_app.people.login import close_session
from contacts_app.people.models import LoginSession
from contacts_app.tokens.models import ApiToken, parse_networks
from contacts_app.tokens.services import create_token, revoke_token

STATE_LABELS = {"Usable": "success", "Live": "success", "Expired": "warning", "Revoked": "danger", "Ended": ""}


class ApiTokenForm(SameAccountForm):
    same_account = {"extension": "This extension belongs to another account."}

    class Meta:
        model = ApiToken
        fields = ("name", "account", "extension", "read_only", "networks", "expires_at")

    def clean_networks(self) -> str:
        try:
            parse_networks(self.cleaned_data["networks"])
        except ValidationError as error:
            raise ValidationError(error.messages) from None
        return str(self.cleaned_data["networks"])


@admin.register(ApiToken)
class ApiTokenAdmin(PortalAdmin):
    form = ApiTokenForm
    list_display = (
        *("name_and_key", "scope", "account", "extension"),
        *("read_only", "state", "last_used_at", "expires_at"),
    )
    list_select_related = ("account", "extension", "parent")
    list_filter = (("scope", admin.ChoicesFieldListFilter), "read_only", "account")
    search_fields = ("name", "key_id", "account__name")
    search_help_text = "Name, key id or account"
    autocomplete_fields = ("account", "extension")
    actions_detail = ["revoke"]
    actions = ("revoke_selected",)
    name_and_key = column("Token", lambda row: [row.name or "–", row.key_id], ordering="name", header=True)
    chosen_once = (
        *("key_id", "scope", "account", "extension", "state"),
        *("last_used_at", "created_at", "created_by", "revoked_at"),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": ("name", "account", "extension", "read_only", "networks", "expires_at"),
                "description": "Without account and extension it is a staff token, good for every account.",
            },
        ),
    )
    fieldsets = (
        (None, {"fields": ("name", "read_only", "networks", "expires_at")}),
        ("Good for", {"fields": ("scope", "account", "extension")}),
        ("Record", {"fields": ("key_id", "state", "last_used_at", "created_at", "created_by", "revoked_at")}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        names = ("account", "extension", "name", "read_only", "expires_at", "networks")
        given = {name: form.cleaned_data[name] for name in names}
        token, text = create_token(**given, created_by=request.user)  # type: ignore[arg-type]
        vars(obj).update(vars(token))
        obj.shown_once = text

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """The text goes straight into this answer: messages, URLs and the session are all kept somewhere."""
        shown = {"token": obj, "text": obj.shown_once, "change_url": page_of(obj)}
        answer = self.page(request, "contacts_app/tokens/token_created.html", "The token", **shown)
        add_never_cache_headers(answer)
        return answer

    @button(
        "Revoke…",
        question="Revoke {0}? Whatever uses it stops working at once, and nothing brings it back.",
        logged="Revoked.",
        done="{0} is revoked.",
        icon="block",
        dangerous=True,
    )
    def revoke(self, request: HttpRequest, token: ApiToken) -> None:
        revoke_token(token)

    @admin.action(description="Revoke for good", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: Any) -> None:
        tokens = list(queryset.filter(revoked_at=None))
        for token in tokens:
            revoke_token(token)
            self.log_change(request, token, "Revoked.")
        messages.success(request, f"{len(tokens)} tokens are revoked.")

    @display(description="State", label=STATE_LABELS)
    def state(self, token: ApiToken) -> str:
        if token.revoked_at:
            return "Revoked"
        return "Usable" if token.is_usable else "Expired"


@admin.register(LoginSession)
class LoginSessionAdmin(ReadOnlyAdmin):
    """Logins through REST. Ending one makes its access and refresh tokens worthless."""

    tenant_path = "user__account"
    list_display = ("user", "state", "ip", "created_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("user__email", "ip")
    search_help_text = "Email or IP address"
    fields = ("user", "state", "ip", "created_at", "expires_at", "revoked_at")
    actions_detail = ["end"]
    deletable = False
    has_end_permission = allowed("contacts_app.change_loginsession")

    @button(
        "End…",
        question="Log out {0.user}?",
        yes="End the session",
        logged="Ended.",
        done="{0.user} is logged out.",
        icon="logout",
        permission="end",
        dangerous=True,
    )
    def end(self, request: HttpRequest, session: LoginSession) -> None:
        close_session(session, ip=None)

    @display(description="State", label=STATE_LABELS)
    def state(self, session: LoginSession) -> str:
        if session.revoked_at:
            return "Ended"
        return "Live" if session.expires_at > timezone.now() else "Expired"
