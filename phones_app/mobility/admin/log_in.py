"""*Log in…* on the page of a phone: staff bring somebody's profile to it without a PIN, as programs do over REST."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import of_address, page_of
from contacts_app.core.errors import Refusal
from contacts_app.people.models import User
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.mobility.login import log_in
from phones_app.mobility.models import MobilitySession
from profiles_app.phone.models import PhoneProfile

LOGS_IN = "phones_app.add_mobilitysession"


class LogInForm(forms.Form):
    person = forms.ModelChoiceField(User.objects.none())
    profile = forms.ModelChoiceField(
        PhoneProfile.objects.none(),
        required=False,
        label="Phone profile",
        help_text="Which one, where several of the person fit the phone.",
    )
    until = forms.DateTimeField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="Empty: as long as the mobility policy allows.",
    )


class LogInPages(PortalAdmin):
    """Mixed into the admin of phones."""

    pages = {"log_in": "<int:pk>/log-in/"}

    def has_log_in_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """A phone without a base profile takes nobody; its page says nothing of log-ins."""
        phones = of_address(Phone.objects.filter(base_profile__isnull=False), object_id)
        return request.user.has_perm(LOGS_IN) and phones.exists()

    @action(description="Log in…", icon="login", permissions=["log_in"])
    def log_in_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("log_in", self.row_or_404(request, object_id).pk))

    def log_in_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request, LOGS_IN)
        phone: Phone = self.row_or_404(request, pk)
        form = self._log_in_form(request, phone)
        if form.is_bound and form.is_valid() and (answer := self._logged_in(request, phone, form)):
            return answer
        title = f"Log in on {phone}"
        shown = {"phone": phone, "form": form, "back": page_of(phone), "media": self.media + form.media}
        return self.page(request, "phones_app/mobility/log_in.html", title, **shown)

    def _logged_in(self, request: HttpRequest, phone: Phone, form: LogInForm) -> HttpResponse | None:
        """None: the form says why not."""
        given = form.cleaned_data
        try:
            session = log_in(
                phone, given["person"], profile=given["profile"], until=given["until"], actor=actor_of(request)
            )
        except Refusal as refusal:
            form.add_error(None, refusal.message)
            return None
        messages.success(request, f"{session.person_name} is being logged in: the phone gets the profile and restarts.")
        return HttpResponseRedirect(page_of(session.login or phone))

    def _log_in_form(self, request: HttpRequest, phone: Phone) -> LogInForm:
        form = LogInForm(request.POST if request.method == "POST" else None)
        person: Any = form.fields["person"]
        person.widget = AutocompleteSelect(MobilitySession._meta.get_field("user"), self.admin_site)
        # Only people of the phone's account may log in there.
        person.queryset = actor_of(request).sees(User.objects.all()).filter(account=phone.account_id)
        profiles: Any = self.admin_site.get_model_admin(PhoneProfile)
        profile: Any = form.fields["profile"]
        profile.widget = AutocompleteSelect(Deployment._meta.get_field("profile"), self.admin_site)
        if profiles.has_view_permission(request):
            profile.queryset = profiles.tenant_rows(request).exclude(revision=None)
        return form
