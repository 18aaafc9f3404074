"""Lines in the web admin: a list, a form whose password never comes out and which puts a new line on a phone, and files
to import, with phones.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from contacts_app.core.admin.columns import ago_column, count_column
from contacts_app.core.admin.forms import SameAccountForm, SecretForm
from contacts_app.core.admin.links import page_of
from contacts_app.core.csv.admin import CsvPages
from phones_app.configuration.line_csv import PlacedLineCsv
from phones_app.configuration.line_places import PLACES_LINES, LinePlace, conflicts, place_lines
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone
from profiles_app.phone.lines import faults_of, remark_of, uses_of, values_of
from profiles_app.phone.models import Line


class LineForm(SecretForm, SameAccountForm):
    """`phone` is asked for with a new line, of who may change the layers of phones."""

    phone = forms.ModelChoiceField(
        Phone.objects.none(), required=False, help_text="Which phone gets the line, as its next one; empty: none yet."
    )
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
        if place_of_line := self.place:
            account = given.get("account")
            if account and place_of_line.phone.account_id != account.pk:
                self.add_error("phone", "The phone and the line belong to different accounts.")
            for fault in conflicts([place_of_line]).values():
                self.add_error("phone", fault)
        return given

    @property
    def place(self) -> LinePlace | None:
        phone = self.cleaned_data.get("phone")
        return LinePlace(phone, self.cleaned_data.get("extension") or "", None) if phone else None


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

    def get_fieldsets(self, request: HttpRequest, obj: Line | None = None) -> Any:
        first, *others = super().get_fieldsets(request, obj)
        if obj is not None or not request.user.has_perms(PLACES_LINES):
            return (first, *others)
        return ((None, {"fields": ("account", "extension", "phone", "user")}), *others)

    def get_form(self, request: HttpRequest, obj: Line | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None or not request.user.has_perms(PLACES_LINES):
            # Declared fields stay in a form whatever its fieldsets say, so that they could still be posted.
            form.base_fields.pop("phone")
            return form
        phones: Any = self.admin_site.get_model_admin(Phone)
        field: Any = form.base_fields["phone"]
        field.widget = AutocompleteSelect(Layer._meta.get_field("phone"), self.admin_site)
        field.queryset = phones.tenant_rows(request).defer("web_password")
        return form

    def response_add(self, request: HttpRequest, obj: Line, post_url_continue: str | None = None) -> HttpResponse:
        """A line that was added for a phone leads back there."""
        answer = super().response_add(request, obj, post_url_continue)
        use = obj.uses.select_related("layer__phone").first() if "_save" in request.POST else None
        return HttpResponseRedirect(page_of(use.layer.phone)) if use and use.layer.phone else answer

    def save_model(self, request: HttpRequest, obj: Line, form: LineForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if place := form.place:
            place_lines([place], {(obj.account_id, obj.extension): obj})
            self._offer_deployment(request, place.phone)
        if remark := remark_of(obj.extension, form.cleaned_data.get("new_secret") or ""):
            messages.warning(request, remark)
        if change and (number := obj.uses.count()) > 1:
            messages.info(request, f"{obj.extension} is used in {number} places, which all change.")

    def after_import(self, request: HttpRequest) -> list[tuple[str, str]]:
        pages: Any = self.admin_site.get_model_admin(Phone)
        if not pages.has_deploy_permission(request):
            return []
        return [("Roll out to all phones…", f"{reverse('admin:phones_app_rollout_add')}?everything=1")]

    def _offer_deployment(self, request: HttpRequest, phone: Phone) -> None:
        text = "The line is on {}, which gets its new file when it is deployed."
        pages: Any = self.admin_site.get_model_admin(Phone)
        if phone.current_profile_id is None or not pages.has_deploy_permission(request):
            messages.success(request, text.format(phone))
            return
        link = f"{reverse('admin:phones_app_phone_deploy')}?phones={phone.pk}&profile={phone.current_profile_id}"
        text += ' <a class="text-link" href="{}">Deploy…</a>'
        messages.success(request, format_html(text, phone, link))
