"""Files left behind on file servers, whose removal is offered: they hold credentials and are of no phone any more."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin, button
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.links import list_url
from contacts_app.core.errors import Refusal, TransportError
from phones_app.deployment.left_files import REMOVED_FILE, remove
from phones_app.deployment.models import LeftFile
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.inventory.models import Phone


@admin.register(LeftFile)
class LeftFileAdmin(ReadOnlyAdmin):
    deletable = False
    list_display = ("file", "server", "directory", "profile_name", "reason", "left")
    list_display_links = ("file",)
    list_select_related = ("server",)
    ordering = ("-left_at", "-pk")
    actions_detail = ["remove_one"]
    fields = ("mac", "server", "directory", "profile_name", "sha256", "reason", "left_at")
    file = column("File", lambda left: left.file_name)
    left = ago_column("left_at", "Left")

    def has_remove_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(MAY_DEPLOY)

    @button(
        "Remove…",
        question="Delete {0} and its backups from the file server? A phone with this MAC address would find no file.",
        yes="Remove",
        logged=REMOVED_FILE,
        done="The file is deleted.",
        icon="delete",
        permission="remove",
    )
    def remove_one(self, request: HttpRequest, left: LeftFile) -> None:
        try:
            remove(left)
        except TransportError as error:
            raise Refusal(error.code, error.message) from None


class LeavesFiles(PortalAdmin):
    """What the admin of phones says when a phone has left its file behind."""

    def save_model(self, request: HttpRequest, obj: Phone, form: Any, change: bool) -> None:
        before = Phone.objects.filter(pk=obj.pk).values_list("mac", flat=True) if change else ()
        macs = list(before)
        super().save_model(request, obj, form, change)
        if {"mac", "file_server", "account"} & set(form.changed_data):
            self._offer_removal(request, macs)

    def delete_model(self, request: HttpRequest, obj: Phone) -> None:
        super().delete_model(request, obj)
        self._offer_removal(request, [obj.mac])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Phone]) -> None:
        macs = list(queryset.values_list("mac", flat=True))
        queryset.delete()
        self._offer_removal(request, macs)

    def _offer_removal(self, request: HttpRequest, macs: Iterable[str]) -> None:
        number = LeftFile.objects.filter(mac__in=list(macs)).count()
        if number:
            what = "A file, with its credentials, lies" if number == 1 else f"{number} files, with credentials, lie"
            link = format_html('<a href="{}">Remove what was left behind</a>', list_url(LeftFile))
            messages.warning(request, format_html("{} on a file server still. {}", what, link))
