"""The part of a deployment's preview that asks the file server: loaded on its own, because a server may be slow."""

from contextlib import closing

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from contacts_app.admin.base import PortalAdmin
from contacts_app.services.errors import Refusal
from phones_app.models import PhoneProfile
from phones_app.services.file_preview import preview_file
from phones_app.transports.ftp_pool import FtpPool


class ComparisonForm(forms.Form):
    phone = forms.IntegerField(max_value=2**63 - 1)
    profile = forms.IntegerField(max_value=2**63 - 1)


class FileComparison(PortalAdmin):
    """Adds the fragment `compare/`: one phone's new file beside its present ones, passwords masked."""

    def get_urls(self) -> list[object]:
        view = self.admin_site.admin_view(self.comparison)
        return [path("compare/", view, name="phones_app_phone_compare"), *super().get_urls()]

    def comparison(self, request: HttpRequest) -> HttpResponse:
        self.require(request, "phones_app.add_deployment")
        self.require(request, "phones_app.view_phoneprofile")
        form = ComparisonForm(request.GET)
        if not form.is_valid():
            raise Http404("There is nothing to compare.")
        phone = self.row_or_404(request, str(form.cleaned_data["phone"]))
        profiles = self.admin_site.get_model_admin(PhoneProfile)
        profile = profiles.row_or_404(request, str(form.cleaned_data["profile"]))
        try:
            with closing(FtpPool()) as pool:
                preview = preview_file(phone=phone, profile=profile, pool=pool)
        except Refusal as refusal:
            raise Http404(refusal.message) from None
        return render(request, "admin/phones_app/phone/comparison.html", {"preview": preview})
