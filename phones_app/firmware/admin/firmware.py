"""Firmware in the admin: which loads there are, the files of each, and packages that are added or deleted."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import label, page_of
from contacts_app.core.admin.sent_by_script import errors_of, go_to, is_sent_by_script
from contacts_app.core.errors import Refusal
from phones_app.firmware.adding import AddedFirmware, add_firmware
from phones_app.firmware.admin.defaults import DefaultLoadPages
from phones_app.firmware.models import Firmware
from phones_app.firmware.resets import resets_of
from phones_app.firmware.services import hidden_files, remove_firmware
from phones_app.firmware.sets.gates import known_rows
from phones_app.inventory.admin.upload import ManyFiles, ManyFilesField
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import LONGEST_PATH

ADD = "phones_app.add_firmware"


class PackageForm(forms.Form):
    """`FirmwareAdmin` adds whose phones it is for."""

    chosen = ManyFilesField(
        label="Package",
        widget=ManyFiles(attrs={"multiple": True, "data-most-files": 100}),
        help_text="One .zip, .tgz, .cop.sgn or .cop.sha512 as Cisco delivers it; or a .loads file together with all "
        "files that it names.",
    )
    folder = forms.CharField(
        required=False,
        max_length=LONGEST_PATH,
        widget=UnfoldAdminTextInputWidget,
        help_text="Where its files are to lie; empty: at the top, where phones look first.",
    )
    replace_defaults = forms.BooleanField(
        required=False,
        label="Phones boot from it after a factory reset",
        widget=UnfoldBooleanSwitchWidget,
        help_text="Takes termNN.default.loads of the package, also where there is one already.",
    )


@admin.register(Firmware)
class FirmwareAdmin(DefaultLoadPages):
    """Tenants see what is for all accounts, too, and add and delete their own alone."""

    tenant_shares = True
    pages = {"package": "add-package/", "gates": "gates/"}
    list_display = ("load_here", "version", "protocol", "models_here", "owner", "size_here", "state", "added")
    list_display_links = ("load_here",)
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("load", "package")
    search_help_text = "Load or package"
    fields = (
        *("load", "version", "protocol", "models_here", "owner", "folder_here", "size_here", "package"),
        *("state", "checked_at", "created_at"),
    )
    readonly_fields = fields
    actions_detail = ["roll_out_one"]
    actions_list = ("add_package", "defaults", "ways", *PortalAdmin.actions_list)
    change_form_outer_after_template = "phones_app/firmware/detail.html"
    load_here = column("Load", lambda row: row.load, ordering="load")
    models_here = column("Models", lambda row: ", ".join(row.phone_models) or "–")
    owner = column("Account", lambda row: row.account or "all accounts")
    folder_here = column("Folder", lambda row: row.folder or "at the top")
    size_here = column("Size", lambda row: filesizeformat(row.size))
    added = ago_column("created_at", "Added")

    @display(description="State")
    def state(self, row: Firmware) -> Any:
        return label("not complete", "danger") if row.faults else label("complete", "success")

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Rows come of packages alone; the button for these has its own permission.
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_add_package_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(ADD)

    @action(description="Add firmware…", icon="upload_file", permissions=["add_package"])
    def add_package(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("package"))

    def has_roll_out_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        phones: Any = self.admin_site.get_model_admin(Phone)
        return bool(phones.has_deploy_permission(request))

    @action(description="Roll out…", icon="stacked_line_chart", permissions=["roll_out"])
    def roll_out_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        query = urlencode({"load": self.row_or_404(request, object_id).load})
        return HttpResponseRedirect(f"{reverse('admin:phones_app_rollout_add')}?{query}")

    @action(description="Ways between loads", icon="alt_route", permissions=["view"])
    def ways(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("gates"))

    def package_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, ADD)
        sent = request.method == "POST"
        form = self._form(request, request.POST if sent else None, request.FILES if sent else None)
        if sent and form.is_valid():
            try:
                added = self._added(request, form)
            except Refusal as refusal:
                form.add_error("chosen", refusal.message)
            else:
                [first, *others] = added.loads
                return go_to(request, self.url_of("changelist") if others else page_of(first))
        if is_sent_by_script(request):
            return errors_of(form)
        return self.page(
            request,
            "phones_app/firmware/add.html",
            "Add firmware",
            form=form,
            back=self.url_of("changelist"),
            media=self.media + form.media,
        )

    def _form(self, request: HttpRequest, data: Any, files: Any) -> PackageForm:
        form = PackageForm(data, files)
        if actor_of(request).account is None:
            form.fields["account"] = self.formfield_for_foreignkey(
                *(Firmware._meta.get_field("account"), request),
                required=False,
                help_text="Whose phones it is for; empty: those of all accounts.",
            )
        form.order_fields(["chosen", "account"])
        return form

    def _added(self, request: HttpRequest, form: PackageForm) -> AddedFirmware:
        given = form.cleaned_data
        added = add_firmware(
            {one.name: one.file for one in given["chosen"]},
            account=actor_of(request).account or given.get("account"),
            folder=given["folder"],
            replace_defaults=given["replace_defaults"],
        )
        names = ", ".join(row.load for row in added.loads)
        messages.success(request, f"{names}: complete, and added.")
        if added.kept:
            text = f"{', '.join(added.kept)}: stays as it is, and phones boot from it after a factory reset."
            messages.warning(request, text)
        return added

    def gates_page(self, request: HttpRequest) -> HttpResponse:
        """What is known of the ways from one load to another, with the source of each row."""
        self.require(request, "phones_app.view_firmware")
        return self.page(
            request, "phones_app/firmware/gates.html", "Ways between loads", own=settings.FIRMWARE_GATES, **known_rows()
        )

    def shown(self, request: HttpRequest, row: Firmware) -> dict[str, Any]:
        platforms = [(name, [one for one in row.components if one["platform"] == name]) for name in _platforms(row)]
        own = actor_of(request).account
        return super().shown(request, row) | {
            "firmware": row,
            "platforms": platforms,
            "resets": resets_of(row),
            "hidden": hidden_files(row, own) if own else [],
        }

    def delete_model(self, request: HttpRequest, obj: Firmware) -> None:
        remove_firmware(obj)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().delete_view(request, object_id, *args, **kwargs)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self.url_of("change", object_id))

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """All that were chosen are deleted, or none of them: what is told and written afterwards is of all."""
        try:
            with transaction.atomic():
                return super().response_action(request, *args, **kwargs)
        except Refusal as refusal:
            messages.error(request, f"Nothing was deleted. {refusal.message}")
            return HttpResponseRedirect(self.url_of("changelist"))


def _platforms(row: Firmware) -> list[str]:
    return list(dict.fromkeys(component["platform"] for component in row.components))
