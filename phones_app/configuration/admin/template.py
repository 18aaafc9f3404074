"""Templates with a phone beside them, whose file they make, and with the question before one is saved that is in use."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from contacts_app.core.admin.frame import actor_of
from phones_app.configuration.admin.confirm import AsksBeforeSaving
from phones_app.configuration.admin.trial import trial_of
from phones_app.configuration.changes import phones_of_template
from phones_app.configuration.effect import FileEffect, what_changes_template
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone
from profiles_app.phone.admin.revision import may_reveal
from profiles_app.phone.admin.template import PhoneTemplateAdmin
from profiles_app.phone.models import PhoneTemplate


class SampleForm(forms.Form):
    """Which phone is looked at."""

    sample = forms.ModelChoiceField(Phone.objects.none(), required=False)


class TemplateWithPhones(AsksBeforeSaving, PhoneTemplateAdmin):
    pages = {"try": "try/"}

    def effect(self, request: HttpRequest, before: Any, after: Any, form: Any) -> FileEffect | None:
        if before is None or before.text == after.text:
            return None
        return what_changes_template(before, after.text, reveal=may_reveal(request))

    def try_page(self, request: HttpRequest) -> HttpResponse:
        """What the posted text makes of a phone: in the page by script, else on a page of its own."""
        self.require(request, "profiles_app.view_phonetemplate")
        self.require(request, "phones_app.view_phone")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = self._sample_form(request, request.POST)
        phone = form.cleaned_data["sample"] if form.is_valid() else None
        context = trial_of(request, phone, request.POST.get("text", "").replace("\r\n", "\n"))
        if "HX-Request" in request.headers:
            return render(request, "phones_app/configuration/tried.html", context)
        return self.page(request, "phones_app/configuration/tried_page.html", f"On {phone}", **context)

    def _sample_form(self, request: HttpRequest, data: Any = None, sample: int | None = None) -> SampleForm:
        form = SampleForm(data, initial={"sample": sample})
        field: Any = form.fields["sample"]
        attributes = {"form": "phonetemplate_form", "data-placeholder": "MAC address or name"}
        field.widget = AutocompleteSelect(Layer._meta.get_field("phone"), self.admin_site, attrs=attributes)
        phones: Any = self.admin_site.get_model_admin(Phone)
        field.queryset = phones.tenant_rows(request).defer("web_password")
        return form

    def shown(self, request: HttpRequest, row: PhoneTemplate) -> dict[str, object]:
        return super().shown(request, row) | self.behind_context(request, row)

    def concerned(self, request: HttpRequest, row: PhoneTemplate) -> QuerySet[Phone]:
        return actor_of(request).sees(phones_of_template(row).defer("web_password"))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        if self.may_edit(request, row) and request.user.has_perm("phones_app.view_phone"):
            first = self.concerned(request, row).order_by("mac").first() if row else None
            form = self._sample_form(request, sample=first.pk if first else None)
            context |= {"trial_url": self.url_of("try"), "trial_form": form, "media": context["media"] + form.media}
        return super().render_change_form(request, context, *args, **kwargs)
