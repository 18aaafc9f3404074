"""What is the person's own whatever their profile grants: details, password, time zone and second factor (portal spec
§1)."""

from typing import Any

from django import forms
from django.contrib import auth, messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from contacts_app.people.services import change_user
from contacts_app.people.zones import UNCHOSEN, zone_choices
from profiles_app.myaccount.portal.pages import OPEN, Page, PortalRequest, show

ME = Page("me", gettext_lazy("Your details"), place=1000, own=True, always=True, in_menu=False)


def _password(label: object, autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=4096, strip=False, widget=widget)  # type: ignore[arg-type]


class OwnPasswordForm(forms.Form):
    current = _password(gettext_lazy("Present password"), "current-password")
    password = _password(gettext_lazy("New password"), "new-password")
    again = _password(gettext_lazy("New password once more"), "new-password")

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        if given.get("password") != given.get("again"):
            self.add_error("again", _("The two are not the same."))
        return given


class OwnTimeZoneForm(forms.Form):
    timezone = forms.ChoiceField(label=gettext_lazy("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = zone_choices()[1:]
        self.fields["timezone"].choices = [(UNCHOSEN, _("That of the account")), *places]  # type: ignore[attr-defined]


@ME.url()
def me(request: PortalRequest) -> HttpResponse:
    return show(request, "profiles_app/myaccount/portal/me.html")


@ME.url("time-zone/", "time-zone", post=OPEN)
def time_zone(request: PortalRequest) -> HttpResponse:
    person = request.visitor.person
    form = OwnTimeZoneForm(request.POST if request.method == "POST" else None, initial={"timezone": person.timezone})
    if form.is_valid():
        change_user(person, actor=request.visitor.actor, timezone=form.cleaned_data["timezone"])
        messages.success(request, _("Times are shown in your time zone."))
        return HttpResponseRedirect(reverse("portal:me"))
    shown = {"form": form, "title": _("Time zone"), "back": reverse("portal:me")}
    return show(request, "profiles_app/myaccount/portal/form.html", shown, status=400 if form.errors else 200)


@ME.url("password/", "password", post=OPEN)
@sensitive_post_parameters()
def password(request: PortalRequest) -> HttpResponse:
    """Another password ends all other log-ins of the person."""
    person = request.visitor.person
    form = OwnPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if not person.check_password(form.cleaned_data["current"]):
            form.add_error("current", _("This is not your password."))
        elif _is_stored(request, form):
            auth.update_session_auth_hash(request, person)
            messages.success(request, _("Your password is changed. All other log-ins have ended."))
            return HttpResponseRedirect(reverse("portal:me"))
    shown = {"form": form, "title": _("Change password")}
    return show(request, "profiles_app/myaccount/portal/form.html", shown, status=400 if form.errors else 200)


def _is_stored(request: PortalRequest, form: OwnPasswordForm) -> bool:
    person = request.visitor.person
    try:
        change_user(person, actor=request.visitor.actor, password=form.cleaned_data["password"])
    except ValidationError as error:
        form.add_error("password", error.messages)
        return False
    return True
