"""*Replace handset*: which one takes the phone's place, what would happen, and yes."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin, allowed
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.core.errors import Refusal
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.inventory.models import Phone
from phones_app.mobility.replacement import Handset, preview, replace_handset
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import colons, parse_mac


class HandsetForm(forms.Form):
    mac = forms.CharField(label="New MAC address", max_length=32, widget=UnfoldAdminTextInputWidget)
    model = forms.CharField(
        label="New model",
        max_length=64,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Empty: the same model.",
    )
    profile = forms.ModelChoiceField(
        PhoneProfile.objects.none(), required=False, label="Phone profile", help_text="Empty: the present one."
    )

    def clean_mac(self) -> str:
        try:
            return parse_mac(self.cleaned_data["mac"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class ReplacePages(PortalAdmin):
    """The button on the page of a phone, and the page behind it."""

    pages = {"replace": "<int:pk>/replace/"}
    has_replace_permission = allowed(MAY_DEPLOY)

    @action(description="Replace handset…", icon="swap_horiz", permissions=["replace"])
    def replace_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("replace", self.row_or_404(request, object_id).pk))

    def replace_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the new handset, show what would happen, and with `confirm` let it happen."""
        self.require(request, MAY_DEPLOY)
        phone = self.row_or_404(request, pk)
        self.require(request, "phones_app.change_phone")
        form = self._handset_form(request)
        planned = None
        if form.is_bound and form.is_valid():
            given = form.cleaned_data
            handset = Handset(given["mac"], given["model"])
            if "confirm" in request.POST:
                return self._replaced(request, phone, handset, given["profile"])
            planned = preview(phone, handset, given["profile"])
        shown: dict[str, Any] = {"phone": phone, "form": form, "planned": planned, "back": page_of(phone)}
        if planned is not None:
            shown["new_mac"] = colons(planned.handset.mac)
        shown["media"] = self.media + form.media
        return self.page(request, "phones_app/mobility/replace.html", f"Replace the handset of {phone}", **shown)

    def _handset_form(self, request: HttpRequest) -> HandsetForm:
        form = HandsetForm(request.POST if request.method == "POST" else None)
        profiles: Any = self.admin_site.get_model_admin(PhoneProfile)
        field: Any = form.fields["profile"]
        field.widget = AutocompleteSelect(Deployment._meta.get_field("profile"), self.admin_site)
        may_see = profiles.has_view_permission(request)
        field.queryset = (
            profiles.tenant_rows(request).exclude(revision=None) if may_see else PhoneProfile.objects.none()
        )
        return form

    def _replaced(
        self, request: HttpRequest, phone: Phone, handset: Handset, profile: PhoneProfile | None
    ) -> HttpResponse:
        try:
            done = replace_handset(phone, handset, actor=actor_of(request), profile=profile)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(page_of(phone))
        self.log_change(request, phone, f"Handset replaced by {colons(handset.mac)}.")
        messages.success(request, f"{colons(handset.mac)} has taken the phone's place. The old handset is retired.")
        return HttpResponseRedirect(page_of(done.deployment or phone))
