"""What phones depend on: file servers, call managers, key macros. Connections are tested from here."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts_app.core.admin.base import PortalAdmin, SecretForm, TenantFilter
from phones_app.servers.models import CallManager, FileServer, KeyMacro
from phones_app.servers.services import Check, check_call_manager, check_file_server, save_file_server
from phones_app.templatetags.phone_labels import last_test
from phones_app.transports.restart.key_macros import parse_steps


class ServerAdmin(PortalAdmin):
    """Servers may be shared, their password never comes out, and testing is a button beside saving."""

    tenant_shares = True
    search_fields = ("name", "host", "account__name")
    search_help_text = "Name, address or account"
    autocomplete_fields = ("account",)
    list_select_related = ("account",)
    actions_submit_line = ["save_and_test"]
    test: Callable[[Any], Check]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("password")

    @action(description="Save and test the connection", permissions=["change"])
    def save_and_test(self, request: HttpRequest, obj: Any) -> None:
        check = type(self).test(self.model._default_manager.get(pk=obj.pk))
        say = messages.success if check.ok else messages.error
        say(request, f"Connection test: {check.message}")

    @display(description="Last test", ordering="tested_at")
    def tested(self, server: Any) -> str:
        return last_test(server.tested_at, server.test_result)

    @display(description="Account")
    def owner(self, server: Any) -> str:
        return str(server.account or "shared")


class FileServerForm(SecretForm):
    def _get_validation_exclusions(self) -> set[str]:
        """There is one default: the form must not mind, because the service lets the new one take over."""
        return super()._get_validation_exclusions() | {"is_default"}  # type: ignore[misc]


@admin.register(FileServer)
class FileServerAdmin(ServerAdmin):
    form = FileServerForm
    test = staticmethod(check_file_server)
    list_display = ("name", "protocol", "host", "port", "directory", "owner", "is_default", "tested")
    list_filter = (("protocol", ChoicesCheckboxFilter), "is_default", ("account", TenantFilter))
    readonly_fields = ("tested", "test_result", "uuid", "is_embedded", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "account", "is_default")}),
        (
            "Connection",
            {
                "fields": (
                    "protocol",
                    ("host", "port"),
                    "username",
                    "new_secret",
                    "forget_secret",
                    "directory",
                )
            },
        ),
        ("Details", {"fields": ("passive", "verify_certificate", "read_back", "keep_backups")}),
        ("Connection test", {"fields": ("tested", "test_result")}),
        ("Record", {"fields": ("uuid", "is_embedded", "created_at", "updated_at")}),
    )

    def save_model(self, request: HttpRequest, obj: FileServer, form: Any, change: bool) -> None:
        save_file_server(obj)
        super().save_model(request, obj, form, change)


class CallManagerForm(SecretForm):
    class Meta:
        model = CallManager
        fields = "__all__"
        widgets = {"stamps": UnfoldAdminTextareaWidget(attrs={"rows": 4, "class": "font-mono"})}


@admin.register(CallManager)
class CallManagerAdmin(ServerAdmin):
    form = CallManagerForm
    test = staticmethod(check_call_manager)
    list_display = ("name", "kind_here", "host", "port", "owner", "tested")
    list_filter = (("kind", ChoicesCheckboxFilter), ("account", TenantFilter))
    readonly_fields = ("tested", "test_result", "uuid", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("name", "account", "kind", "host", "port")}),
        ("SIP", {"fields": ("transport",)}),
        ("Asterisk", {"fields": ("channel", "username", "new_secret", "forget_secret")}),
        ("Restart", {"fields": ("action", "stamps")}),
        ("Connection test", {"fields": ("tested", "test_result")}),
        ("Record", {"fields": ("uuid", "created_at", "updated_at")}),
    )

    @display(description="Kind", ordering="kind", label={"SIP": "info", "AMI": "primary"})
    def kind_here(self, manager: CallManager) -> str:
        return manager.kind.upper()


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
