"""What phones depend on: file servers, call managers, key macros. Connections are tested from here."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.forms import SecretForm
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url, page_of
from phones_app.servers.models import CallManager, FileServer, KeyMacro
from phones_app.servers.services import (
    PLACE,
    Check,
    PasswordNeeded,
    check_call_manager,
    check_file_server,
    keep_password_at_its_place,
    save_file_server,
    told_to,
)
from phones_app.shared_files.copies import progress
from phones_app.shared_files.models import FileCopy
from phones_app.templatetags.phone_labels import last_test
from phones_app.transports.restart.key_macros import parse_steps

KIND_LABELS = {"SIP": "info", "AMI": "primary"}
# Of a shared server the tenants see where it is, not how staff log in there or what it said to them, as over REST.
STAFF_ONLY = {"username", "new_secret", "forget_secret", "tested", "test_result"}


class ServerAdmin(PortalAdmin):
    """Servers may be shared, their password never comes out, and testing is a button beside saving."""

    tenant_shares = True
    search_fields = ("name", "host", "account__name")
    search_help_text = "Name, address or account"
    autocomplete_fields = ("account",)
    list_select_related = ("account",)
    actions_submit_line = ["save_and_test"]
    test: Callable[[Any], Check]
    tested = column("Last test", lambda row: _last_test(row), ordering="tested_at")
    owner = column("Account", lambda server: server.account or "shared")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("password")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        shown = super().get_changelist_instance(request)
        for row in shown.result_list:
            row.is_told = self.is_theirs(request, row)
        return shown

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sections = super().get_fieldsets(request, obj)
        if self.is_theirs(request, obj):
            return sections
        told = [(title, [name for name in options["fields"] if name not in STAFF_ONLY]) for title, options in sections]
        return [(title, {"fields": fields}) for title, fields in told if fields]

    def _rows_of(self, request: HttpRequest, key: str) -> QuerySet[Any]:
        rows, account = super()._rows_of(request, key), actor_of(request).account
        return rows if account is None else rows.filter(account=account)

    @action(description="Save and test the connection", permissions=["change"])
    def save_and_test(self, request: HttpRequest, obj: Any) -> None:
        check = told_to(actor_of(request), type(self).test(self.model._default_manager.get(pk=obj.pk)))
        say = messages.success if check.ok else messages.error
        say(request, f"Connection test: {check.message}")


def _last_test(row: Any) -> SafeString | str:
    return last_test(row.tested_at, row.test_result) if getattr(row, "is_told", True) else "–"


class ServerForm(SecretForm):
    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        # As it would be stored.
        for name in PLACE:
            setattr(self.instance, name, given.get(name, getattr(self.instance, name)))
        try:
            keep_password_at_its_place(self.instance, typed=bool(given.get("new_secret") or given.get("forget_secret")))
        except PasswordNeeded as refusal:
            self.add_error("new_secret", refusal.message)
        return given


class FileServerForm(ServerForm):
    def _get_validation_exclusions(self) -> set[str]:
        """There is one default: the form must not mind, because the service lets the new one take over."""
        return {"is_default", *super()._get_validation_exclusions()}  # type: ignore[misc]


CONNECTION = ("protocol", ("host", "port"), "username", "new_secret", "forget_secret", "directory")


@admin.register(FileServer)
class FileServerAdmin(ServerAdmin):
    form = FileServerForm
    test = staticmethod(check_file_server)
    list_display = ("name", "protocol", "host", "port", "directory", "owner", "is_default", "tested")
    list_filter = ("protocol", "is_default", "account")
    readonly_fields = ("copies", "tested", "test_result", "uuid", "is_embedded", "created_at", "updated_at")
    copies = column("Copies", lambda server: _copies(server))
    fieldsets = (
        (None, {"fields": ("name", "account", "is_default")}),
        ("Connection", {"fields": CONNECTION}),
        ("Shared files", {"fields": ("takes_shared_files", "copies")}),
        ("Details", {"fields": ("passive", "verify_certificate", "read_back", "keep_backups")}),
        ("Connection test", {"fields": ("tested", "test_result")}),
        ("Record", {"fields": ("uuid", "is_embedded", "created_at", "updated_at")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        # It belongs to the installation.
        return super().has_delete_permission(request, obj) and not getattr(obj, "is_embedded", False)

    def save_model(self, request: HttpRequest, obj: FileServer, form: Any, change: bool) -> None:
        save_file_server(obj)
        super().save_model(request, obj, form, change)


def _copies(server: FileServer) -> str:
    """How many shared files are in place there, read anew while they go."""
    if server.pk is None or server.is_embedded or not server.takes_shared_files:
        return "It reads the portal's own." if server.is_embedded else "–"
    found = progress(server)
    asking = 'hx-get="{}" hx-select="#file-copies" hx-trigger="every 2s" hx-swap="outerHTML"'
    live = format_html(asking, page_of(server)) if found.is_under_way else ""
    link = list_url(FileCopy, server__id__exact=server.pk)
    return format_html('<a id="file-copies" href="{}" {}>{}</a>', link, live, found)


class CallManagerForm(ServerForm):
    class Meta:
        model = CallManager
        fields = "__all__"
        widgets = {"stamps": UnfoldAdminTextareaWidget(attrs={"rows": 4, "class": "font-mono"})}


@admin.register(CallManager)
class CallManagerAdmin(ServerAdmin):
    form = CallManagerForm
    test = staticmethod(check_call_manager)
    kind_here = column("Kind", lambda manager: manager.kind.upper(), ordering="kind", label=KIND_LABELS)
    list_display = ("name", "kind_here", "host", "port", "owner", "tested")
    list_filter = ("kind", "account")
    readonly_fields = ("tested", "test_result", "uuid", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "account", "kind", "host", "port")}),
        ("SIP", {"fields": ("transport",)}),
        ("Asterisk", {"fields": ("channel", "username", "new_secret", "forget_secret")}),
        ("Restart", {"fields": ("action", "stamps")}),
        ("Connection test", {"fields": ("tested", "test_result")}),
        ("Record", {"fields": ("uuid", "created_at", "updated_at")}),
    )


class KeyMacroForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = KeyMacro
        fields = ("name", "phone_models", "steps", "priority")
        widgets = {"steps": UnfoldAdminTextareaWidget(attrs={"rows": 12, "class": "font-mono"})}

    def clean_steps(self) -> str:
        steps = str(self.cleaned_data["steps"])
        try:
            parse_steps(steps)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return steps


@admin.register(KeyMacro)
class KeyMacroAdmin(PortalAdmin):
    form = KeyMacroForm
    tenant_path = None
    list_display = ("name", "phone_models", "priority", "updated_at")
    search_fields = ("name", "phone_models")
    fields = ("name", "phone_models", "steps", "priority")
