"""The web admin's pages about phones, their profiles, servers and deployments. Only here the page of a phone has
everything: each subject adds its columns, buttons and panels to what the inventory knows; and the page of a person
what the phones know of them."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

import phones_app.configuration.admin.line
import phones_app.deployment.admin.deployment
import phones_app.firmware.admin.firmware
import phones_app.inventory.admin.group
import phones_app.mobility.admin.enrolment
import phones_app.mobility.admin.policy
import phones_app.mobility.admin.seen
import phones_app.rollout.admin.rollout
import phones_app.servers.admin
import phones_app.shared_files.admin.copy
from contacts_app.core.admin import first_steps, overview, search, work
from contacts_app.people.admin import UserAdmin
from contacts_app.people.models import User
from phones_app.boot.admin import BootTraceOfPhone
from phones_app.cockpit.admin import CockpitPages
from phones_app.configuration.admin.adopting import AdoptingPages
from phones_app.configuration.admin.bulk import ChangeSelectedWithSettings
from phones_app.configuration.admin.default_file import DefaultFilePages
from phones_app.configuration.admin.key_layout import LayoutWithPhones
from phones_app.configuration.admin.layer import LayerPages, settings_found
from phones_app.configuration.admin.pbx import PbxPages
from phones_app.configuration.admin.phone import ConfigurationPages
from phones_app.configuration.admin.profile import ProfileWithPhones
from phones_app.configuration.admin.template import TemplateWithPhones
from phones_app.configuration.models import Layer
from phones_app.deployment.admin.deploy import DeployPages, StateOfLast
from phones_app.deployment.admin.left_file import LeavesFiles
from phones_app.deployment.admin.own_work import deployments_of_person
from phones_app.drift.admin import DriftPages, StateOfFile
from phones_app.firmware.admin.phone import FirmwareOfPhone
from phones_app.first_steps import first_steps as steps_of_phones
from phones_app.inventory.admin.phone import InventoryAdmin, ModelsInUse
from phones_app.inventory.admin.upload import UploadFiles
from phones_app.inventory.models import Phone
from phones_app.mobility.admin.board import SessionsOfPerson, SessionsOfPhone
from phones_app.mobility.admin.directory import DirectoryOfPerson
from phones_app.mobility.admin.log_in import LogInPages
from phones_app.mobility.admin.phone_screen import PhoneScreenPages
from phones_app.mobility.admin.policy import BaseProfiles
from phones_app.mobility.admin.replacement import ReplacePages
from phones_app.overview import panels
from phones_app.phone_page import StandingOfPhone
from phones_app.rollout.admin.own_work import rollouts_of_person
from phones_app.rollout.admin.pages import RollOutChanged, RollOutSelected
from phones_app.shared_files.admin.editors import EditorPages
from phones_app.shared_files.admin.file import SharedFileAdmin
from phones_app.shared_files.admin.media import MediaPages
from phones_app.shared_files.admin.own_work import copies_of_person
from phones_app.shared_files.models import SharedFile
from phones_app.upgrades.admin.panel import UpgradePages
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate

overview.register(panels)
search.register(settings_found)
first_steps.register(steps_of_phones)
work.register(rollouts_of_person)
work.register(deployments_of_person)
work.register(copies_of_person)


@admin.register(Phone)
class PhoneAdmin(
    StandingOfPhone,
    BaseProfiles,
    UpgradePages,
    RollOutSelected,
    PhoneScreenPages,
    SessionsOfPhone,
    LogInPages,
    ReplacePages,
    CockpitPages,
    DriftPages,
    DeployPages,
    FirmwareOfPhone,
    BootTraceOfPhone,
    ConfigurationPages,
    PbxPages,
    LeavesFiles,
    AdoptingPages,
    ChangeSelectedWithSettings,
    InventoryAdmin,
):
    list_display = (*("phone", "model_here", "account_name", "profile"), *("deployed", "present", "seen", "is_active"))
    more_columns = (
        "location",
        "phone_ip",
        "software_type",
        "software_version",
        "serial_number",
        "in_call",
        "created_at",
    )
    list_select_related = ("account", "current_profile", "last_deployment__deployment", "file__revision")
    list_filter = (
        ("last_deployment__deployment__state", StateOfLast),
        "presence",
        "in_call",
        ("file__state", StateOfFile),
        "software_type",
        ("model", ModelsInUse),
        "is_active",
        "account",
        "current_profile",
    )
    actions = [
        *(
            "deploy_selected",
            "roll_out_selected",
            "upgrade_selected",
            "change_selected",
            "group_selected",
            "restart_selected",
        ),
        *("check_selected", "put_back_selected", "base_selected", "pbx_selected", "export_selected"),
    ]
    actions_row = ["deploy_one", "restart_one"]
    actions_detail = [
        *("deploy_one", "restart_one", "configuration_one", "log_in_one", "replace_one"),
        *("check_one", "put_back_one", "adopt_one"),
        {"title": "More", "items": ["cockpit_one", "pbx_one", "phone_screen_one"]},
    ]
    change_form_outer_after_template = "phones_app/phone_panels.html"

    def after_import(self, request: HttpRequest) -> list[tuple[str, str]]:
        lines = self.admin_site.get_model_admin(Line)
        may_import = lines.has_add_permission(request) and lines.has_change_permission(request)
        return [("Import their lines…", reverse("admin:profiles_app_line_import"))] if may_import else []


@admin.register(Layer)
class LayerAdmin(RollOutChanged, DefaultFilePages, LayerPages):
    """Layers, whose phones a rollout brings up to date."""

    actions_list = ("widest", *DefaultFilePages.actions_list)


# What profiles have without phones is replaced by the same with phones.
for model in (PhoneTemplate, KeyLayout, PhoneProfile):
    admin.site.unregister(model)


@admin.register(PhoneTemplate)
class TemplateAdmin(RollOutChanged, TemplateWithPhones):
    """Templates, with the phones whose files they make."""


@admin.register(KeyLayout)
class LayoutAdmin(RollOutChanged, LayoutWithPhones):
    """Key layouts, with the phones that have them."""


@admin.register(PhoneProfile)
class ProfileAdmin(UploadFiles, RollOutChanged, ProfileWithPhones):
    """Phone profiles, with the phones that run an old revision, and the upload of the files that phones run on today."""


admin.site.unregister(SharedFile)


@admin.register(SharedFile)
class FilesAndEditors(EditorPages, MediaPages, SharedFileAdmin):
    """Shared files, with the editors of those that people make."""

    actions_detail = [*SharedFileAdmin.actions_detail, "edit_one"]  # type: ignore[assignment]


admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(SessionsOfPerson, DirectoryOfPerson, UserAdmin):
    """People, with where they are logged in, and their directories."""
