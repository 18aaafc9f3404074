"""The pages of a list that is also a sheet: export the selection, upload a file, look at what it would do, say yes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.csv.importing import import_upload, keep_upload
from contacts_app.core.csv.models import UploadedSheet
from contacts_app.core.csv.sheet import Report, Sheet, errors_as_csv, export_sheet
from contacts_app.core.csv.text import MAX_BYTES
from contacts_app.core.errors import Refusal

SHOWN_ERRORS = 200


class UploadForm(forms.Form):
    file = forms.FileField(label="CSV file", widget=UnfoldAdminFileFieldWidget, max_length=255)


class SheetPages(PortalAdmin):
    """Mixed into the admin of a model that `sheet` describes."""

    sheet: type[Sheet]
    actions_list = ("export_all", "upload", *PortalAdmin.actions_list)

    def get_urls(self) -> list[Any]:
        wrap, base = self.admin_site.admin_view, self._base
        return [
            path("import/", wrap(self.upload_page), name=f"{base}_import"),
            path("import/<uuid:uuid>/", wrap(self.import_page), name=f"{base}_import_check"),
            path("import/<uuid:uuid>/errors.csv", wrap(self.errors_page), name=f"{base}_import_errors"),
            *super().get_urls(),
        ]

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    @action(description="Export", icon="download", permissions=["view"])
    def export_all(self, request: HttpRequest) -> HttpResponse:
        return self._exported(request, None)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self._exported(request, queryset)

    @action(description="Import…", icon="upload", permissions=["import"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:{self._base}_import"))

    def upload_page(self, request: HttpRequest) -> HttpResponse:
        """Choose a file. Nothing is stored of it yet."""
        self._require_import(request)
        sent = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
        if sent and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                upload = keep_upload(user=request.user, kind=self.sheet.kind, name=file.name, file=file.file)
                return HttpResponseRedirect(reverse(f"admin:{self._base}_import_check", args=[upload.uuid]))
            except Refusal as refusal:
                form.add_error("file", refusal.message)
        return self.page(
            request,
            "contacts_app/core/sheet_upload.html",
            f"Import {self.opts.verbose_name_plural}",
            form=form,
            columns=self.sheet(actor_of(request)).columns,
            back=reverse(f"admin:{self._base}_changelist"),
            limit=MAX_BYTES // 1024**2,
        )

    def import_page(self, request: HttpRequest, uuid: Any) -> HttpResponse:
        """What the file would do, with every error; on POST it does that."""
        upload = self._uploaded(request, uuid)
        try:
            report = self._report(request, upload, dry_run=request.method != "POST")
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.path)
        if report.stored:
            told = f"{report.created} new, {report.updated} changed, {report.unchanged} as they were."
            messages.success(request, f"{upload.name} is imported: {told}")
            return HttpResponseRedirect(reverse(f"admin:{self._base}_changelist"))
        return self.page(
            request,
            "contacts_app/core/sheet_check.html",
            f"Import {upload.name}?",
            report=report,
            shown=report.errors[:SHOWN_ERRORS],
            untold=report.error_count - SHOWN_ERRORS,
            errors_url=reverse(f"admin:{self._base}_import_errors", args=[upload.uuid]),
            back=reverse(f"admin:{self._base}_import"),
        )

    def errors_page(self, request: HttpRequest, uuid: Any) -> HttpResponse:
        upload = self._uploaded(request, uuid)
        report = self._report(request, upload, dry_run=True)
        return _download(errors_as_csv(report.errors), f"{self.sheet.kind}-errors.csv")

    @property
    def _base(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def _exported(self, request: HttpRequest, rows: Any) -> HttpResponse:
        pieces = export_sheet(self.sheet(actor_of(request)), rows, for_spreadsheets=True)
        return _download(pieces, f"{self.sheet.kind}.csv")

    def _require_import(self, request: HttpRequest) -> None:
        for what in ("add", "change"):
            self.require(request, f"{self.opts.app_label}.{what}_{self.opts.model_name}")

    def _uploaded(self, request: HttpRequest, uuid: Any) -> UploadedSheet:
        self._require_import(request)
        rows = UploadedSheet.objects.filter(user=request.user.pk, kind=self.sheet.kind)
        upload = rows.filter(uuid=uuid).first()
        if upload is None:
            raise Http404("There is no such upload.")
        return upload

    def _report(self, request: HttpRequest, upload: UploadedSheet, *, dry_run: bool) -> Report:
        return import_upload(upload, sheet=self.sheet(actor_of(request)), dry_run=dry_run)


def _download(pieces: Any, name: str) -> HttpResponse:
    answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer  # type: ignore[return-value]
