"""The inventory: phones, what they got last, and the ways to deploy to them and restart them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, ChoicesCheckboxFilter
from unfold.decorators import display

from contacts_app.core.admin.base import PortalAdmin, SecretField, SecretForm, TenantFilter
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.csv.admin import SheetPages
from contacts_app.core.lists.search import one_of
from contacts_app.templatetags.moments import ago
from phones_app.deployment.admin.deploy import DeployPages
from phones_app.deployment.models import Deployment
from phones_app.drift.admin import DriftPages
from phones_app.inventory.admin.group import GroupOfSelected, LookPages, MacSearchMixin
from phones_app.inventory.csv import PhoneSheet, models_in_use
from phones_app.inventory.models import Phone
from phones_app.templatetags.phone_labels import deployment_link, presence_label
from profiles_app.phone import sep

RECENT = 10


class PhoneForm(SecretForm):
    kept_in = "web_password"
    new_secret = SecretField(label="Push password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["mac"] = self.instance.mac_with_colons


class StateOfLast(ChoicesCheckboxFilter):
    """By the state of the last deployment: the deployments are looked up first, as few are in most states."""

    def __init__(self, *args: Any, field_path: str) -> None:
        super().__init__(*args, field_path="last_deployment__state")  # as the address of the page says it
        self.title = "last deployment"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (states := self.value()):
            return queryset
        deployments = Deployment.objects.filter(state__in=states).values("pk")
        return queryset.filter(
            one_of("last_deployment__deployment", deployments, order=["state", "-created_at"])
        )


class StateOfFile(ChoicesCheckboxFilter):
    """By whether the file on the server is the uploaded one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "file on the server"


class ModelsInUse(AllValuesCheckboxFilter):
    """The models that there are phones of, found by leaping from one to the next in an index."""

    def __init__(self, field: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, *args, **kwargs)
        self.lookup_choices = models_in_use(actor_of(request).account)

    def has_output(self) -> bool:
        return bool(self.lookup_choices)


@admin.register(Phone)
class PhoneAdmin(
    MacSearchMixin, SheetPages, GroupOfSelected, LookPages, DriftPages, DeployPages, PortalAdmin
):
    sheet = PhoneSheet
    form = PhoneForm
    list_display = (
        "phone",
        "model_here",
        "account_name",
        "profile",
        "deployed",
        "present",
        "seen",
        "is_active",
    )
    list_display_links = ("phone",)
    list_select_related = ("account", "current_profile", "last_deployment__deployment", "file")
    list_filter = (
        ("last_deployment__deployment__state", StateOfLast),
        ("presence", ChoicesCheckboxFilter),
        "in_call",
        ("file__state", StateOfFile),
        ("software_type", ChoicesCheckboxFilter),
        ("model", ModelsInUse),
        "is_active",
        ("account", TenantFilter),
        ("current_profile", TenantFilter),
    )
    search_fields = ("name", "phone_ip", "location", "current_profile__name", "line_user")
    search_help_text = "MAC in any spelling, name, IP address, location, line or profile"
    autocomplete_fields = ("account", "file_server", "call_manager")
    readonly_fields = (
        *("present", "seen", "looked", "look_error", "other_mac", "in_call", "serial_number"),
        *("uuid", "current_profile", "is_simulated", "created_at", "updated_at"),
    )
    actions = [
        "deploy_selected",
        "roll_out_selected",
        "group_selected",
        "restart_selected",
        "look_selected",
        "put_back_selected",
        "export_selected",
    ]
    actions_row = ["deploy_one", "restart_one"]
    actions_detail = ["deploy_one", "restart_one", "look_one", "put_back_one", "adopt_one"]
    change_form_outer_after_template = "phones_app/deployment/deployments.html"
    fieldsets = (
        (None, {"fields": ("mac", "name", "account", "model", "software_type", "is_active")}),
        ("Place", {"fields": ("location", "phone_ip", "phone_vlan", "hostname", "description")}),
        (
            "How it is provisioned",
            {"fields": ("current_profile", "file_server", "call_manager", "line_user", "sip_port")},
        ),
        ("Status page", {"fields": (("present", "seen"), ("looked", "in_call"), "other_mac", "look_error")}),
        ("Web server of the phone", {"fields": ("web_port", "web_username", "new_secret", "forget_secret")}),
        (
            "Record",
            {
                "fields": (
                    "brand",
                    "software_version",
                    "serial_number",
                    "is_simulated",
                    "uuid",
                    "created_at",
                    "updated_at",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Phone]:
        # What no page shows need not be deciphered.
        return super().get_queryset(request).defer("web_password", "file__found")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        recent = Deployment.objects.filter(phone=int(object_id) if object_id.isdecimal() else None)
        context = {"recent_deployments": recent.order_by("-created_at", "-pk")[:RECENT]}
        context |= self.drift_context(request, object_id)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    @display(description="Phone", ordering="mac", header=True)
    def phone(self, phone: Phone) -> list[str]:
        return [phone.mac_with_colons, phone.name]

    @display(description="Model", ordering="model", header=True)
    def model_here(self, phone: Phone) -> list[str]:
        return [phone.model or "–", phone.software_version or phone.software_type or ""]

    @display(description="Account")
    def account_name(self, phone: Phone) -> str:
        return phone.account.name

    @display(description="Current profile", header=True)
    def profile(self, phone: Phone) -> list[str]:
        file = getattr(phone, "file", None)
        drift = f"file {file.get_state_display().lower()}" if file and file.is_drifted else ""
        return [phone.current_profile.name if phone.current_profile else "–", drift]

    @display(description="Last deployment")
    def deployed(self, phone: Phone) -> str:
        last = getattr(phone, "last_deployment", None)
        return deployment_link(last.deployment if last else None)

    @display(description="Last seen", ordering="last_seen_at")
    def seen(self, phone: Phone) -> str:
        return ago(phone.last_seen_at) or "–"

    @display(description="Status page", ordering="presence")
    def present(self, phone: Phone) -> str:
        return presence_label(phone)

    @display(description="Looked at", ordering="looked_at")
    def looked(self, phone: Phone) -> str:
        return ago(phone.looked_at) or "–"

    @display(description="Phone at this address")
    def other_mac(self, phone: Phone) -> str:
        return sep.mac.colons(phone.mac_there) if phone.mac_there else "–"
