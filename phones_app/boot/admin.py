"""What phones fetched from the embedded file server and what they asked it for, also in vain; and their boot traces."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url
from phones_app.boot.models import FileFetch, RequestedFile
from phones_app.boot.trace import MOST_NAMES, boot_trace, in_vain, meaning_of
from phones_app.inventory.admin.search import MacAdmin
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.sep.catalogue import is_mac

SEES = "phones_app.view_requestedfile"


@admin.register(FileFetch)
class FileFetchAdmin(MacAdmin):
    list_display = ("mac_address", "file_name", "address", "protocol", "size", "fetched")
    search_fields = ("file_name", "address")
    search_help_text = "MAC in any spelling, file or IP address"
    fields = (*("mac_address", "file_name", "address", "protocol", "size"), *("sha256", "fetched_at", "followed_by"))
    deletable = False
    fetched = ago_column("fetched_at", "Fetched")


@admin.register(RequestedFile)
class RequestedFileAdmin(MacAdmin):
    """One row per phone and name; *Asked for in vain* counts the phones of each name."""

    list_display = ("name", "mac_address", "address", "is_missing", "given", "missing", "protocol", "last")
    list_display_links = ("name",)
    list_filter = ("is_missing",)
    search_fields = ("name", "address")
    search_help_text = "MAC in any spelling, file or IP address"
    fields = (
        *("name", "meaning", "mac_address", "address", "protocol", "is_missing", "given", "missing", "refused", "size"),
        *("source", "first_at", "last_at"),
    )
    readonly_fields = ("mac_address", "meaning", "source")
    deletable = False
    actions_list = ("asked_in_vain", *PortalAdmin.actions_list)
    pages = {"in_vain": "in-vain/"}
    last = ago_column("last_at", "Last asked")

    meaning = column("Meaning", lambda row: _meaning(row))

    source = column("Given from", lambda row: _source(row))

    @action(description="Asked for in vain", icon="find_in_page", permissions=["view"])
    def asked_in_vain(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("in_vain"))

    def in_vain_page(self, request: HttpRequest) -> HttpResponse:
        """The names for which there is no file, by how many phones ask for them."""
        self.require(request, SEES)
        model, location = (request.GET.get(name, "").strip() for name in ("model", "location"))
        normal = request.GET.get("normal") == "1"
        names = in_vain(_of_phones(request, self.tenant_rows(request), model, location), normal=normal)
        return self.page(
            request,
            "phones_app/boot/in_vain.html",
            "Asked for in vain",
            names=[(one, list_url(RequestedFile, q=one.name, is_missing__exact=1)) for one in names[:MOST_NAMES]],
            model=model,
            location=location,
            normal=normal,
            first=MOST_NAMES if len(names) > MOST_NAMES else 0,
        )


def _meaning(row: RequestedFile) -> str:
    known = meaning_of(row.name)
    return f"{known.what}. {row.refusal or (known.missing if row.is_missing else known.given)}"


def _source(row: RequestedFile) -> str:
    """The shared file, which may be another account's to see no more, or be gone."""
    if row.is_missing:
        return ""
    if row.shared_file_id is None:
        return "the folder of phones’ files, or made on request"
    shared = SharedFile.objects.filter(pk=row.shared_file_id).first()
    return f"shared file {shared.path}" if shared is not None else "a shared file that is deleted"


def _of_phones(
    request: HttpRequest, rows: QuerySet[RequestedFile], model: str, location: str
) -> QuerySet[RequestedFile]:
    chosen = {name: value for name, value in {"model": model, "location": location}.items() if value}
    if not chosen:
        return rows
    phones: QuerySet[Phone] = actor_of(request).sees(Phone.objects.filter(**chosen))
    return rows.filter(mac__in=phones.values("mac"))


class BootTraceOfPhone(PortalAdmin):
    """What the page of a phone shows of what it asked for."""

    def shown(self, request: HttpRequest, row: Phone) -> dict[str, Any]:
        shown = super().shown(request, row)
        # A form that came back with errors may have anything in the place of the MAC address.
        if not request.user.has_perm(SEES) or not is_mac(row.mac or ""):
            return shown
        return shown | {"boot_trace": boot_trace(row)}
