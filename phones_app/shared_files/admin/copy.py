"""Copies of shared files on FTP servers: which are in place, which failed and why."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from unfold.decorators import action

from contacts_app.core.admin.base import ReadOnlyAdmin, allowed
from contacts_app.core.admin.columns import ago_column, column
from phones_app.shared_files.copies import try_again
from phones_app.shared_files.models import CopyState, FileCopy

STATE_LABELS = {CopyState.WAITING.label: "info", CopyState.IN_PLACE.label: "success", CopyState.FAILED.label: "danger"}
SHOWN_OF_ERROR = 120


@admin.register(FileCopy)
class FileCopyAdmin(ReadOnlyAdmin):
    tenant_path = "server__account"
    deletable = False
    list_display = ("path", "server", "state_here", "size_here", "placed", "error_here")
    list_display_links = ("path",)
    # Not by the name of the server, which is another table.
    ordering = ("server_id", "path")
    list_filter = ("state", "server")
    list_select_related = ("server",)
    search_fields = ("path",)
    search_help_text = "Path"
    actions = ["try_again_selected"]
    fields = (
        *("path", "server", "state_here", "wanted", "size_here", "there", "placed_at"),
        *("attempts", "error", "due_at"),
    )
    readonly_fields = ("state_here", "wanted", "size_here", "there")
    state_here = column("State", lambda copy: copy.get_state_display(), ordering="state", label=STATE_LABELS)
    wanted = column("SHA-256", lambda copy: copy.sha256 or "To be deleted there")
    size_here = column("Size", lambda copy: filesizeformat(copy.size))
    there = column("SHA-256 there", lambda copy: copy.placed_sha256 or "Nothing was brought there.")
    placed = ago_column("placed_at", "Placed")
    error_here = column("Error", lambda copy: copy.error[:SHOWN_OF_ERROR])
    has_again_permission = allowed("phones_app.change_sharedfile")

    @action(description="Try again", permissions=["again"])
    def try_again_selected(self, request: HttpRequest, queryset: QuerySet[FileCopy]) -> None:
        asked = try_again(FileCopy.objects.filter(pk__in=queryset.order_by().values("pk")))
        messages.success(request, f"On their way again: {asked}.")
