"""The portal's own log-in and log-out. Failures are counted as those of the admin are (django-axes)."""

from django import forms
from django.conf import settings
from django.contrib import auth
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from profiles_app.myaccount.password_links import may_visit
from profiles_app.myaccount.portal.gate import LANGUAGE_COOKIE, dressed
from profiles_app.myaccount.portal.pages import show

A_YEAR = 365 * 24 * 3600


class PortalLogInForm(forms.Form):
    username = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True, "inputmode": "email"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def onward(request: HttpRequest) -> str:
    """The page of the portal that was asked for in the beginning, else Home."""
    home = reverse("portal:home")
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME, "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if is_ours and wanted.startswith(home) else home


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST" and may_visit(request.user):
        return HttpResponseRedirect(onward(request))
    form = PortalLogInForm(request.POST if request.method == "POST" else None)
    if not settings.LOCAL_LOGIN:
        form = PortalLogInForm()
    elif form.is_valid():
        given: dict[str, str] = form.cleaned_data
        person = auth.authenticate(request, username=given["username"], password=given["password"])
        if may_visit(person):
            auth.login(request, person)
            return HttpResponseRedirect(onward(request))
        # One answer for a wrong password, an unknown name, and people who have no place here.
        form.add_error(None, _("E-mail address or password is wrong."))
    shown = {"form": form, "next": onward(request), "local_login": settings.LOCAL_LOGIN}
    return show(request, "profiles_app/myaccount/portal/login.html", shown, status=400 if form.errors else 200)


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return HttpResponseRedirect(reverse("portal:login"))


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remembered by the browser, so that it holds before the log-in too."""
    response = HttpResponseRedirect(onward(request))
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            max_age=A_YEAR,
            path=reverse("portal:home"),
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )
    return response


PAGES_BEFORE = {"login": dressed(log_in), "logout": dressed(log_out), "language": dressed(choose_language)}
