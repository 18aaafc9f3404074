"""Choosing a password by the link of a mail, and showing or setting up a second factor (portal spec §1)."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from contacts_app.core.errors import Refusal
from contacts_app.people.models import User
from contacts_app.people.pages import SecondFactorPage
from contacts_app.people.services import change_user
from profiles_app.myaccount.password_links import FORGOTTEN, mail_password_link, may_visit, person_of
from profiles_app.myaccount.portal.gate import dressed
from profiles_app.myaccount.portal.pages import frame, show
from profiles_app.myaccount.portal.refusals import refusal_of
from profiles_app.myaccount.portal.visitor import CHANNEL


class ForgottenForm(forms.Form):
    address = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """The answer tells nothing of whether somebody has this address."""
    if not settings.LOCAL_LOGIN:
        raise Http404
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if person := person_of(form.cleaned_data["address"]):
            mail_password_link(person, FORGOTTEN)
        messages.success(
            request,
            _("If this address is known here, a mail with a link is on its way. The link is good for one hour."),
        )
        return HttpResponseRedirect(reverse("portal:login"))
    shown = {
        "form": form,
        "title": _("Forgotten password"),
        "text": _("We send you a link with which you choose a new password."),
        "save": _("Send the link"),
        "back": reverse("portal:login"),
    }
    return show(request, "profiles_app/myaccount/portal/form.html", shown, status=400 if form.errors else 200)


class PasswordByLinkForm(SetPasswordForm):  # type: ignore[type-arg]
    """Stored as any other change of a password: the person's other log-ins end."""

    def save(self, commit: bool = True) -> User:
        person: User = self.user
        return change_user(person, actor=person.as_actor(CHANNEL), password=self.cleaned_data["new_password1"])


class PasswordByLink(PasswordResetConfirmView):
    """Django's own view: it takes the token out of the address before anything is shown, so that none is passed on."""

    template_name = "profiles_app/myaccount/portal/new_password.html"
    form_class = PasswordByLinkForm
    success_url = reverse_lazy("portal:login")
    title = gettext_lazy("Choose a password")

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        return user if settings.LOCAL_LOGIN and may_visit(user) else None

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return frame(self.request) | super().get_context_data(**kwargs)

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        messages.success(self.request, _("Your password is changed. Log in with it now."))
        return super().form_valid(form)


class PortalCodeForm(forms.Form):
    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "numeric"}),
    )


class PortalSecondFactor(SecondFactorPage):
    """The same second factor as the admin's, for people of the portal."""

    template = "profiles_app/myaccount/portal/second_factor.html"
    channel, login_page, home = CHANNEL, "portal:login", "portal:home"
    form_class = PortalCodeForm

    def is_theirs(self, user: User) -> bool:
        return may_visit(user)

    def words_of(self, refusal: Refusal) -> str:
        return refusal_of(refusal)

    def frame(self) -> dict[str, object]:
        return frame(self.request) | {"person": self.user}


PAGES_FOR_PASSWORDS = {
    "forgotten/": ("forgotten", dressed(forgotten)),
    "password/<uidb64>/<token>/": ("new-password", dressed(PasswordByLink.as_view())),
    "second-factor/": ("second-factor", dressed(PortalSecondFactor.as_view())),
}
