"""Files that phones read beside their own: what there is, for whom, and the upload of more of them."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url, page_of
from contacts_app.core.admin.sent_by_script import errors_of, go_to, is_sent_by_script
from contacts_app.core.errors import Refusal
from phones_app.boot.models import RequestedFile
from phones_app.inventory.admin.upload import MOST_AT_ONCE, ManyFiles, ManyFilesField
from phones_app.shared_files import services, store
from phones_app.shared_files.intake import (
    Incoming,
    IntakeOutcome,
    IntakeTarget,
    OnePath,
    TakenFile,
    take_in,
    take_in_one,
)
from phones_app.shared_files.models import LONGEST_PATH, SharedFile
from phones_app.shared_files.sending import as_attachment

# What is uploaded may take the place of what is there.
UPLOADS = ("phones_app.add_sharedfile", "phones_app.change_sharedfile")
# So many of the files that were left out are named.
NAMED = 5


class PathForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_path(self) -> str:
        path = str(self.cleaned_data["path"])
        try:
            services.ensure_path(path)
        except Refusal as refusal:
            raise ValidationError(refusal.message) from None
        present = services.at_paths([path], self.instance.account_id, self.instance.phone_id).get(path.lower())
        if present is not None and present.pk != self.instance.pk:
            raise ValidationError("There is a file at this path already, in whatever case.")
        return path


class SharedFilesForm(forms.Form):
    """`FileAdmin` adds whose phones they are for."""

    chosen = ManyFilesField(
        label="Files",
        widget=ManyFiles(attrs={"multiple": True, "data-most-files": MOST_AT_ONCE}),
        help_text=f"Up to {MOST_AT_ONCE} at once; or archives (.zip, .tgz), whose folders are kept.",
    )
    into = forms.CharField(
        label="Folder",
        required=False,
        max_length=LONGEST_PATH,
        widget=UnfoldAdminTextInputWidget,
        help_text="In front of their paths, such as German_Germany. Empty: at the top.",
    )
    description = forms.CharField(required=False, max_length=255, widget=UnfoldAdminTextInputWidget)


class ContentForm(forms.Form):
    content = forms.FileField(label="New content", widget=UnfoldAdminFileFieldWidget)


@admin.register(SharedFile)
class SharedFileAdmin(PortalAdmin):
    """Of an account's people each sees everybody's files, too, and changes those of the account."""

    tenant_shares = True
    form = PathForm
    list_display = ("path", "kind", "owner", "mac", "bytes", "changed")
    list_filter = ("kind", "account", "updated_at")
    list_select_related = ("account", "phone")
    search_fields = ("path", "description")
    search_help_text = "Path or description"
    fields = (
        *("path", "kind", "description", "account", "phone", "bytes", "sha256", "asked_for", "uuid"),
        *("created_at", "updated_at"),
    )
    readonly_fields = ("account", "phone", "bytes", "sha256", "asked_for", "uuid", "created_at", "updated_at")
    autocomplete_fields = ("account", "phone")
    actions_list = ("upload_files", *PortalAdmin.actions_list)
    actions_detail = ("download", "replace_content")
    pages = {"upload": "upload/", "content": "<int:pk>/content/", "replace": "<int:pk>/replace/"}
    owner = column("Account", lambda row: row.account or "all", ordering="account")
    mac = column("Phone", lambda row: row.phone.mac_with_colons if row.phone else "all")
    bytes = column("Size", lambda row: filesizeformat(row.size))
    changed = ago_column("updated_at", "Changed")
    asked_for = column(
        "Asked for",
        lambda row: format_html(
            '<a class="text-link" href="{}">Requests for it</a>', list_url(RequestedFile, q=row.path)
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        # There is no file without a content: *Upload…* adds them.
        return False

    def has_upload_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perms(UPLOADS)

    @action(description="Upload…", icon="upload_file", permissions=["upload"])
    def upload_files(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("upload"))

    @action(description="Download", icon="download", permissions=["view"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("content", object_id))

    @action(description="Replace…", icon="sync_alt", permissions=["change"])
    def replace_content(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("replace", object_id))

    def save_model(self, request: HttpRequest, obj: SharedFile, form: Any, change: bool) -> None:
        services.change(obj, form.changed_data)

    def delete_model(self, request: HttpRequest, obj: SharedFile) -> None:
        services.remove([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SharedFile]) -> None:
        services.remove(queryset)

    def content_page(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        self.require(request, "phones_app.view_sharedfile")
        row = self.row_or_404(request, pk)
        try:
            return as_attachment(row)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(page_of(row))

    def replace_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another content for the same path."""
        row = self.row_or_404(request, pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        form = ContentForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            place = OnePath(row.path, row.account, row.phone)
            try:
                take_in_one(store.pieces(form.cleaned_data["content"].file), place)
            except Refusal as refusal:
                form.add_error("content", refusal.message)
            else:
                messages.success(request, f"{row.path} has its new content.")
                return go_to(request, page_of(row))
        return self._form_page(request, "Replace a file", form, page_of(row), "Replace", path=row.path)

    def upload_page(self, request: HttpRequest) -> HttpResponse:
        """Choose files and for whom they are. All are stored, or none."""
        for permission in UPLOADS:
            self.require(request, permission)
        sent = request.method == "POST"
        form = self._upload_form(request, request.POST if sent else None, request.FILES if sent else None)
        if sent and form.is_valid():
            given = form.cleaned_data
            target = IntakeTarget(
                actor_of(request).account or given["account"], given["phone"], given["into"], given["description"]
            )
            try:
                taken = take_in([Incoming(one.name, one.file) for one in given["chosen"]], target)
            except Refusal as refusal:
                form.add_error("phone" if refusal.code == "phone-of-another-account" else "chosen", refusal.message)
            else:
                _tell(request, taken)
                return go_to(request, self.url_of("changelist"))
        return self._form_page(request, "Upload files", form, self.url_of("changelist"), "Upload")

    def _upload_form(self, request: HttpRequest, data: Any, files: Any) -> SharedFilesForm:
        form = SharedFilesForm(data, files)
        for name in self.autocomplete_fields:
            form.fields[name] = self.formfield_for_foreignkey(
                cast("ForeignKey[Any, Any]", SharedFile._meta.get_field(name)), request
            )
        form.order_fields(("chosen", "into", "account", "phone", "description"))
        return form

    def _form_page(
        self, request: HttpRequest, title: str, form: forms.Form, back: str, button: str, path: str = ""
    ) -> HttpResponse:
        if is_sent_by_script(request):
            return errors_of(form)
        return self.page(
            request,
            "phones_app/shared_files/upload.html",
            title,
            form=form,
            back=back,
            button=button,
            path=path,
            media=self.media + form.media,
        )


def _tell(request: HttpRequest, taken: list[TakenFile]) -> None:
    counts = {outcome: sum(one.outcome == outcome for one in taken) for outcome in IntakeOutcome}
    words = {IntakeOutcome.ADDED: "added", IntakeOutcome.REPLACED: "replaced", IntakeOutcome.UNCHANGED: "unchanged"}
    messages.success(request, ", ".join(f"{counts[one]} {word}" for one, word in words.items() if counts[one]) + ".")
    if left_out := [one for one in taken if one.outcome == IntakeOutcome.LEFT_OUT]:
        names = ", ".join(one.path for one in left_out[:NAMED])
        more = f" and {len(left_out) - NAMED} more" if len(left_out) > NAMED else ""
        messages.warning(request, f"Left out, as phones are not given such files from here: {names}{more}.")
