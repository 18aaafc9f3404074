"""Pages on the way into the admin: to the provider of single sign-on and back, and the second factor."""

from typing import Any

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib import admin, auth, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.actor import acting
from contacts_app.core.errors import Refusal
from contacts_app.core.secrets import cipher
from contacts_app.people import second_factor, single_sign_on
from contacts_app.people.models import SecondFactor, User

ENROLLING = "second_factor_enrolling"


class ToProvider(OIDCAuthenticationRequestView):
    get_settings = staticmethod(single_sign_on.library_setting)


class FromProvider(OIDCAuthenticationCallbackView):
    """The browser comes back with a code that the portal, and it alone, can turn into who the person is."""

    get_settings = staticmethod(single_sign_on.library_setting)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if request.GET.get("error"):
            return self.login_failure()  # The library would log out whoever is in, for a link that anybody can make.
        try:
            return super().get(request)
        except Refusal as refusal:
            return _not_in(request, refusal.message)
        except SuspiciousOperation:
            return _not_in(request, "This log-in was not begun here, or too long ago. Begin it again.")

    def login_failure(self) -> HttpResponseBase:
        return _not_in(self.request, "The provider of single sign-on did not log you in.")

    def login_success(self) -> HttpResponseBase:
        onward = self.success_url
        auth.login(self.request, self.user)
        self.request.session.set_expiry(settings.OIDC_SESSION_SECONDS)
        return HttpResponseRedirect(onward)


def _not_in(request: HttpRequest, why: str) -> HttpResponse:
    messages.error(request, why)
    return HttpResponseRedirect(reverse("admin:login"))


@never_cache
def to_provider(request: HttpRequest) -> HttpResponseBase:
    _require_provider()
    try:
        return ToProvider.as_view()(request)
    except single_sign_on.PROVIDER_FAILURES as error:
        return _not_in(request, single_sign_on.refused_by_failure(error).message)


@never_cache
def from_provider(request: HttpRequest) -> HttpResponseBase:
    _require_provider()
    return FromProvider.as_view()(request)


def _require_provider() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=32,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": "", "inputmode": "numeric"}
        ),
    )


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SecondFactorPage(View):
    """Enrols a second factor, asks for its code, and renews or removes it with another one.

    It is outside the admin, because the admin is closed until the code has been shown. The self-service portal has a
    subclass with its own log-in page, home and template.
    """

    template = "contacts_app/people/second_factor.html"
    channel, login_page, home = "admin", "admin:login", "admin:index"
    form_class: type[forms.Form] = CodeForm

    def is_theirs(self, user: User) -> bool:
        """Whether this is the place that the person logs in to."""
        return user.is_active and user.is_staff

    def frame(self) -> dict[str, Any]:
        return admin.site.each_context(self.request) | {"title": "Second factor"}

    def words_of(self, refusal: Refusal) -> str:
        return refusal.message

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        user = request.user
        if not (isinstance(user, User) and self.is_theirs(user)):
            return redirect_to_login(request.get_full_path(), reverse(self.login_page))
        self.user = user
        self.factor = SecondFactor.objects.filter(user=user).first()
        with acting(user.as_actor(self.channel)):
            return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(self.form_class())

    def post(self, request: HttpRequest) -> HttpResponse:
        wish = request.POST.get("wish", "")
        if wish == "leave":
            auth.logout(request)
            return HttpResponseRedirect(reverse(self.login_page))
        form = self.form_class(request.POST)
        if form.is_valid():
            try:
                return self.granted(wish, form.cleaned_data["code"])
            except Refusal as refusal:
                form.add_error("code", self.words_of(refusal))
        return self.page(form)

    def granted(self, wish: str, code: str) -> HttpResponse:
        """What is done with a code. Raises Refusal."""
        if self.factor is None:
            factor, codes = second_factor.enrol(self.user, key=self.key(), code=code)
            del self.request.session[ENROLLING]
            self.let_in(factor)
            return self.page(recovery_codes=codes)
        if wish == "remove" and second_factor.is_demanded(self.user):
            raise Refusal("demanded", "Your role demands a second factor. An administrator can reset it.")
        second_factor.show(self.factor, code)
        if wish == "renew":
            # The row was written when the code was taken.
            return self.page(recovery_codes=second_factor.renew_recovery_codes(self.factor))
        if wish == "remove":
            second_factor.take_away(self.user)
            messages.success(self.request, _("Your second factor is removed."))
        else:
            self.let_in(self.factor)
        return HttpResponseRedirect(self.onward())

    def let_in(self, factor: SecondFactor) -> None:
        django_otp.login(self.request, factor)
        self.request.session.cycle_key()

    def key(self) -> str:
        """The key that is being enrolled, which stays the same while the page is shown again."""
        kept = self.request.session.get(ENROLLING)
        if kept is None:
            kept = self.request.session[ENROLLING] = cipher().encrypt(second_factor.new_key().encode()).decode()
        return cipher().decrypt(kept.encode()).decode()

    def onward(self) -> str:
        wanted = self.request.GET.get(REDIRECT_FIELD_NAME, "")
        is_ours = url_has_allowed_host_and_scheme(wanted, {self.request.get_host()}, self.request.is_secure())
        return wanted if is_ours else reverse(self.home)

    def page(self, form: forms.Form | None = None, recovery_codes: list[str] | None = None) -> HttpResponse:
        shown: dict[str, Any] = {"form": form, "onward": self.onward(), "recovery_codes": recovery_codes}
        if recovery_codes is None and self.factor is None:
            key = self.key()
            uri = second_factor.key_uri(self.user, key)
            shown |= {
                "step": "enrol",
                "key": key,
                "picture": segno.make(uri).svg_inline(omitsize=True, border=3, light="white"),
            }
            shown["is_demanded"] = second_factor.is_demanded(self.user)
        elif recovery_codes is None:
            shown["step"] = "manage" if second_factor.is_shown(self.request, self.factor) else "ask"
            shown["codes_left"] = len(self.factor.recovery_digests) if self.factor else 0
        return render(self.request, self.template, self.frame() | shown)
