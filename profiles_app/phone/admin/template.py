"""Templates: the text of a SEP file with expressions in it, in the editor of files. Built-in ones are copied from here.

What a template makes of a phone is shown by what knows phones (`phones_app/configuration/admin/template.py`).
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import ago_column, column, count_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.errors import Refusal
from profiles_app.phone.admin.revision import XmlField, file_lines, may_reveal, with_line_ends_of
from profiles_app.phone.models import PhoneTemplate
from profiles_app.phone.rendering.built_in import all_built_in, find_built_in
from profiles_app.phone.templates import check_template

ABOUT = ("account", "name", "description")


class PhoneTemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    text = XmlField(label="Text", help_text="In the editor Tab indents; Esc leaves it.")

    class Meta:
        model = PhoneTemplate
        fields = (*ABOUT, "text")

    def clean_text(self) -> str:
        text: str = with_line_ends_of(self.instance.text, self.cleaned_data["text"])
        try:
            check_template(text)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.message) from None
        return text


@admin.register(PhoneTemplate)
class PhoneTemplateAdmin(PortalAdmin):
    """Tenants see those of the portal too, which its staff make."""

    form = PhoneTemplateForm
    tenant_shares = True
    pages = {"copy": "copy/"}
    list_display = ("name", "owner", "profile_count", "changed")
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("name", "description")
    search_help_text = "Name or description"
    ordering = ("name", "pk")
    autocomplete_fields = ("account",)
    actions_list = ("copy_built_in", *PortalAdmin.actions_list)
    change_form_outer_after_template = "profiles_app/phone/template.html"
    owner = column("Account", lambda template: template.account or "all accounts")
    profile_count = count_column("profiles", "Profiles")
    changed = ago_column("updated_at", "Updated")

    def may_edit(self, request: HttpRequest, obj: PhoneTemplate | None) -> bool:
        """Who may not see passwords can write a template, but not edit one that may have some."""
        return obj is None or (may_reveal(request) and self.has_change_permission(request, obj))

    def get_fieldsets(self, request: HttpRequest, obj: PhoneTemplate | None = None) -> Any:
        about = (None, {"fields": ABOUT})
        return (
            (about, ("Text", {"fields": ("text",), "classes": ("pb-wide",)}))
            if self.may_edit(request, obj)
            else (about,)
        )

    def get_form(
        self, request: HttpRequest, obj: PhoneTemplate | None = None, change: bool = False, **kwargs: object
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if not self.may_edit(request, obj):
            # Declared fields stay in a form whatever its fieldsets say, so that they could still be posted.
            form.base_fields.pop("text", None)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        given = super().get_changeform_initial_data(request)
        if (name := given.pop("built_in", None)) is None:
            return given
        if (built_in := find_built_in(str(name))) is None:
            raise Http404(f"There is no built-in template {name}.")
        return given | {"name": f"Copy of {built_in.title}", "text": built_in.text}

    def shown(self, request: HttpRequest, row: PhoneTemplate) -> dict[str, object]:
        # Everybody's templates have profiles of other accounts, too.
        profiles = actor_of(request).sees(row.profiles.order_by("name", "pk"), "user__account")
        told: dict[str, object] = {"template": row, "profiles": profiles[:20]}
        if not self.may_edit(request, row):
            told["lines"] = file_lines(request, row.text.encode(), ())
        return told

    def has_copy_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return self.has_add_permission(request)

    @action(description="Copy a built-in template…", icon="content_copy", permissions=["copy"])
    def copy_built_in(self, request: HttpRequest) -> HttpResponse:
        return self.copy_page(request)

    def copy_page(self, request: HttpRequest) -> HttpResponse:
        """Which one: the form of a new template opens with its text, and nothing is stored before that is saved."""
        self.require(request, "profiles_app.add_phonetemplate")
        title = "Copy a built-in template"
        return self.page(request, "profiles_app/phone/built_in.html", title, built_in=all_built_in())
