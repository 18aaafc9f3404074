"""Tokens of programs and login sessions of people. A token is in the answer that made it and nowhere else."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanSwitchWidget

from contacts_app.core.actor import Actor
from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin, allowed, button
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.forms import SameAccountForm
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.people.login import close_session
from contacts_app.people.models import LoginSession
from contacts_app.tokens.models import ApiToken, parse_networks
from contacts_app.tokens.services import MAKES_TOKENS, check_may_make, create_token, revoke_token

Scope = ApiToken.Scope
STATE_LABELS = {"Usable": "success", "Live": "success", "Expired": "warning", "Revoked": "danger", "Ended": ""}


class ApiTokenForm(SameAccountForm):
    """Asks first what a token is good for and when it ends: what is left empty would mean everything, for ever."""

    same_account = {"extension": "This extension belongs to another account."}
    actor: Actor
    never_ends = forms.BooleanField(required=False, label="Never expires", widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = ApiToken
        fields = ("scope", "expires_at", "name", "account", "extension", "read_only", "networks")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("scope"):
            may_all = self.actor.user.is_superuser
            scopes = [choice for choice in Scope.choices if may_all or choice[0] != Scope.STAFF]
            field.choices = [("", "---------"), *scopes]  # type: ignore[attr-defined]
            self.initial.pop("scope", None)
        if field := self.fields.get("expires_at"):
            field.help_text = "Refused from then on."
        if self.instance.pk:
            self.initial["never_ends"] = self.instance.expires_at is None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        scope = given["scope"] = given.get("scope") or self.instance.scope
        if self.instance.pk is None:
            self._clean_owner(given, scope)
        if not given.get("expires_at") and "expires_at" not in self.errors:
            if scope == Scope.STAFF:
                self.add_error("expires_at", "A token that is good for every account needs an end.")
            elif not given.get("never_ends"):
                self.add_error("expires_at", "Say when it ends, or that it never does.")
        return given

    def _clean_owner(self, given: dict[str, Any], scope: str) -> None:
        """Exactly the owner that the scope calls for."""
        extension = given.get("extension")
        if scope == Scope.EXTENSION and extension:
            given["account"] = extension.account
        wanted = {Scope.STAFF: (), Scope.ACCOUNT: ("account",), Scope.EXTENSION: ("account", "extension")}
        for name in ("account", "extension"):
            is_wanted = name in wanted.get(Scope(scope), ()) if scope else bool(given.get(name))
            if is_wanted != bool(given.get(name)) and name not in self.errors:
                self.add_error(name, "The scope needs one." if is_wanted else "The scope has none.")

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
        *("scope", "account", "extension"),
        *("key_id", "state", "last_used_at", "created_at", "created_by", "revoked_at"),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    *("scope", "expires_at", "never_ends", "name"),
                    *("account", "extension", "read_only", "networks"),
                ),
                "description": "A token may do everything within its scope, and shows the passwords there.",
            },
        ),
    )
    fieldsets = (
        (None, {"fields": ("name", "read_only", "networks", "expires_at", "never_ends")}),
        ("Good for", {"fields": ("scope", "account", "extension")}),
        ("Record", {"fields": ("key_id", "state", "last_used_at", "created_at", "created_by", "revoked_at")}),
    )

    def get_form(
        self, request: HttpRequest, obj: ApiToken | None = None, change: bool = False, **kwargs: object
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.actor = actor_of(request)
        return form

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and actor_of(request).may(*MAKES_TOKENS)

    def is_theirs(self, request: HttpRequest, row: object) -> bool:
        """A token for every account is the superusers' alone, who made it."""
        is_staffs = isinstance(row, ApiToken) and row.scope == Scope.STAFF
        return super().is_theirs(request, row) and (request.user.is_superuser or not is_staffs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        names = ("account", "extension", "name", "read_only", "expires_at", "networks")
        given = {name: form.cleaned_data[name] for name in names}
        check_may_make(actor_of(request), given["account"], given["expires_at"])
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
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        tokens = list(queryset.filter(revoked_at=None))
        for token in tokens:
            revoke_token(token)
            self.log_change(request, token, "Revoked.")
        messages.success(request, f"Revoked: {len(tokens)}.")

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
