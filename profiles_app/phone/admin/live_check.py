"""What the checker says of a phone profile's file while it is typed: nothing is stored, and nothing stored is read."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from contacts_app.core.admin.base import PortalAdmin
from profiles_app.phone import sep
from profiles_app.phone.admin.revision import XmlField, marks_of
from profiles_app.phone.models import SoftwareType, Source
from profiles_app.phone.services import ProfileRefused, encode


class TypedFileForm(forms.Form):
    """What of the form of a profile its file is judged by."""

    cnf_xml = forms.CharField(required=False, strip=False)
    software_type = forms.ChoiceField(required=False, choices=[("", ""), *SoftwareType.choices])
    source = forms.CharField(required=False)


class LiveCheckPages(PortalAdmin):
    """For the admin of profiles: the page that its editor asks, whose answer stands beside the text."""

    pages = {"check": "check/"}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if isinstance(field := form.base_fields.get("cnf_xml"), XmlField):
            field.widget.check_url = self.url_of("check")
        return form

    def check_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, "profiles_app.view_phoneprofile")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = TypedFileForm(request.POST)
        if not form.is_valid():
            return HttpResponse(status=422)
        given = form.cleaned_data
        findings: list[sep.Finding] = []
        # What is made from data has no text of its own; an empty box is told of when it is saved.
        if given["source"] in ("", Source.FILE) and given["cnf_xml"]:
            try:
                content = encode(given["cnf_xml"].replace("\r\n", "\n"))
                findings = list(sep.check(content, software_type=given["software_type"] or None))
            except ProfileRefused as refused:
                findings = list(refused.findings)
        context = {"findings": findings, "marks": marks_of(findings)}
        return render(request, "profiles_app/phone/checked.html", context)
