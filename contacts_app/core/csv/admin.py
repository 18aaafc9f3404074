"""The pages of a list that is also a CSV file: export the selection, upload a file, look at what it would do, say yes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html, format_html_join
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.csv.format import CsvFormat, Report, errors_as_csv, export_csv
from contacts_app.core.csv.importing import import_upload, keep_upload, progress_of
from contacts_app.core.csv.models import UploadedCsv
from contacts_app.core.csv.text import MAX_BYTES
from contacts_app.core.errors import Refusal

SHOWN_ERRORS = 200


class UploadForm(forms.Form):
    file = forms.FileField(label="CSV file", widget=UnfoldAdminFileFieldWidget, max_length=255)


class CsvPages(PortalAdmin):
    """Mixed into the admin of a model that `csv_format` describes."""

    csv_format: type[CsvFormat]
    actions_list = ("export_all", "upload", *PortalAdmin.actions_list)
    pages = {
        "import": "import/",
        "import_check": "import/<uuid:uuid>/",
        "import_errors": "import/<uuid:uuid>/errors.csv",
        "import_progress": "import/<uuid:uuid>/progress/",
    }

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    @action(description="Export", icon="download", permissions=["view"])
    def export_all(self, request: HttpRequest) -> HttpResponse:
        return self._exported(request, None)

    @admin.action(description="Export as CSV", permissions=["view"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet[Model]) -> HttpResponse:
        return self._exported(request, queryset)

    @action(description="Import…", icon="upload", permissions=["import"])
    def upload(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("import"))

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Choose a file. Nothing is stored of it yet."""
        self._require_import(request)
        sent = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if sent else UploadForm()
        if sent and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                user: Any = request.user
                upload = keep_upload(user=user, kind=self.csv_format.kind, name=file.name, file=file.file)
                return HttpResponseRedirect(self.url_of("import_check", upload.uuid))
            except Refusal as refusal:
                form.add_error("file", refusal.message)
        return self.page(
            request,
            "contacts_app/core/csv_upload.html",
            f"Import {self.opts.verbose_name_plural}",
            form=form,
            columns=self.csv_format(actor_of(request)).columns,
            back=self.url_of("changelist"),
            limit=MAX_BYTES // 1024**2,
            refusal=self.csv_format.why_none_is_made,
            also_reads=self.csv_format.also_reads,
        )

    def import_check_page(self, request: HttpRequest, uuid: Any) -> HttpResponse:
        """What the file would do, with every error; on POST it does that."""
        upload = self._uploaded(request, uuid)
        try:
            report = self._report(request, upload, dry_run=request.method != "POST")
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(request.path)
        if report.stored:
            told = f"{report.created} new, {report.updated} changed, {report.unchanged} unchanged."
            steps = format_html_join(" ", '<a class="text-link" href="{1}">{0}</a>', self.after_import(request))
            messages.success(request, format_html("{} is imported: {} {}", upload.name, told, steps))
            return HttpResponseRedirect(self.url_of("changelist"))
        return self.page(
            request,
            "contacts_app/core/csv_check.html",
            f"Import {upload.name}?",
            report=report,
            shown=report.errors[:SHOWN_ERRORS],
            untold=report.error_count - SHOWN_ERRORS,
            errors_url=self.url_of("import_errors", upload.uuid),
            progress_url=self.url_of("import_progress", upload.uuid),
            back=self.url_of("import"),
        )

    def after_import(self, request: HttpRequest) -> list[tuple[str, str]]:
        """What people do next, each with its address."""
        return []

    def import_errors_page(self, request: HttpRequest, uuid: Any) -> HttpResponse:
        upload = self._uploaded(request, uuid)
        report = self._report(request, upload, dry_run=True)
        return _download(errors_as_csv(report.errors), f"{self.csv_format.kind}-errors.csv")

    def import_progress_page(self, request: HttpRequest, uuid: object) -> HttpResponse:
        """Asked while another request imports the file, and perhaps once more when that has stored it."""
        try:
            doing, part = progress_of(self._uploaded(request, uuid)) or ("", 0.0)
        except Http404:
            doing, part = "", 0.0
        return JsonResponse({"doing": doing, "part": part})

    def _exported(self, request: HttpRequest, rows: Any) -> HttpResponse:
        pieces = export_csv(self.csv_format(actor_of(request)), rows, for_spreadsheets=True)
        return _download(pieces, f"{self.csv_format.kind}.csv")

    def _require_import(self, request: HttpRequest) -> None:
        for what in ("add", "change"):
            self.require(request, f"{self.opts.app_label}.{what}_{self.opts.model_name}")

    def _uploaded(self, request: HttpRequest, uuid: object) -> UploadedCsv:
        self._require_import(request)
        rows = UploadedCsv.objects.filter(user=request.user.pk, kind=self.csv_format.kind)
        return get_object_or_404(rows, uuid=uuid)

    def _report(self, request: HttpRequest, upload: UploadedCsv, *, dry_run: bool) -> Report:
        return import_upload(upload, csv_format=self.csv_format(actor_of(request)), dry_run=dry_run)


def _download(pieces: Any, name: str) -> HttpResponse:
    answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer  # type: ignore[return-value]
