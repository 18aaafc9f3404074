"""Lines in the web admin: a list, a form whose password never comes out, and files to import, with phones."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.decorators import display

from contacts_app.core.admin.columns import ago_column, count_column
from contacts_app.core.admin.forms import SameAccountForm, SecretForm
from contacts_app.core.csv.admin import CsvPages
from phones_app.configuration.line_csv import PlacedLineCsv
from profiles_app.phone.lines import faults_of, remark_of, uses_of, values_of
from profiles_app.phone.models import Line


class LineForm(SecretForm, SameAccountForm):
    kept_in = "auth_password"
    same_account = {"user": "The person and the line belong to different accounts."}

    class Meta:
        model = Line
        fields = "__all__"

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        password = {"auth_password": given.get("new_secret") or self.instance.auth_password}
        for name, fault in faults_of(values_of(self.instance) | given | password).items():
            place = "new_secret" if name == "auth_password" else name
            self.add_error(place if place in self.fields else None, forms.ValidationError(fault))
        return given


@admin.register(Line)
class LineAdmin(CsvPages):
    form = LineForm
    csv_format = PlacedLineCsv
    actions = ["export_selected"]
    list_display = ("extension", "display_name", "label", "user", "account", "used", "changed")
    list_display_links = ("extension",)
    more_columns = ("name", "auth_name", "voicemail", "mailbox", "max_calls", "created_at")
    list_select_related = ("account", "user")
    list_filter = ("account", "user")
    search_fields = ("extension", "name", "display_name", "label")
    search_help_text = "Extension, peer, display name or label"
    ordering = ("extension", "pk")
    autocomplete_fields = ("account", "user")
    chosen_once = ("account",)
    readonly_fields = ("used_by", "uuid", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("account", "extension", "user", "used_by")}),
        ("On the phone", {"fields": ("display_name", "label", "voicemail")}),
        ("At the PBX", {"fields": ("name", "auth_name", "new_secret", "forget_secret", "mailbox")}),
        ("Calls", {"fields": (("max_calls", "busy_trigger"),)}),
        ("Record", {"fields": ("uuid", "created_at", "updated_at")}),
    )
    used = count_column("uses", "Used")
    changed = ago_column("updated_at", "Updated")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Line]:
        return super().get_queryset(request).defer("auth_password")

    @display(description="Used by")
    def used_by(self, line: Line) -> str:
        """Layers, one in a line: of phones, groups, profiles."""
        places = uses_of(line) if line.pk else []
        return format_html_join("\n", "{}<br>", ((place,) for place in places)) or "nothing yet"

    def save_model(self, request: HttpRequest, obj: Line, form: LineForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if remark := remark_of(obj.extension, form.cleaned_data.get("new_secret") or ""):
            messages.warning(request, remark)
        if change and (number := obj.uses.count()) > 1:
            messages.info(request, f"{obj.extension} is used in {number} places, which all change.")
