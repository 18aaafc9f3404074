"""Users: the people of the account, for those who manage it (portal spec §2)."""

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from contacts_app.core.errors import Refusal
from contacts_app.people.models import User
from contacts_app.people.services import change_user, create_user, may_change
from profiles_app.myaccount.password_links import INVITED, mail_password_link
from profiles_app.myaccount.portal.pages import (
    OPEN,
    Fact,
    HomePanel,
    Page,
    PortalRequest,
    Visitor,
    register_panel,
    show,
)
from profiles_app.myaccount.portal.parts import Cell, Heading, Table, moment, page_of
from profiles_app.myaccount.portal.refusals import refusal_of, tell

USERS = Page("users", gettext_lazy("Users"), place=30)
LOWEST = 9
REFUSALS = (Refusal, PermissionDenied, ValidationError)


def people(visitor: Visitor) -> "QuerySet[User]":
    return visitor.actor.sees(User.objects.all()).order_by("email")


def _levels(visitor: Visitor) -> list[tuple[int, str]]:
    """None above one's own; 0 is the highest."""
    words = {0: _("0: manages the account"), 1: _("1: own things only")}
    return [(level, words.get(level, str(level))) for level in range(visitor.actor.level, LOWEST + 1)]


class PersonForm(forms.Form):
    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=150, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone number"), max_length=64, required=False)
    permission_level = forms.TypedChoiceField(
        label=gettext_lazy("Level"),
        coerce=int,
        help_text=gettext_lazy("Level 0 may do everything in the account; others see and change their own things."),
    )

    def __init__(self, sent: QueryDict | None, *, visitor: Visitor, initial: Mapping[str, object]) -> None:
        super().__init__(sent, initial=dict(initial))
        self.fields["permission_level"].choices = _levels(visitor)  # type: ignore[attr-defined]


class InvitationForm(PersonForm):
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    field_order = ("email",)


class PersonChangeForm(PersonForm):
    is_active = forms.BooleanField(
        label=gettext_lazy("Active"),
        required=False,
        help_text=gettext_lazy("Who is not active can log in nowhere; nothing of theirs is deleted."),
    )


class OthersPinForm(forms.Form):
    pin = forms.CharField(
        label=gettext_lazy("Phone PIN"),
        max_length=16,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text=gettext_lazy(
            "Empty: the person cannot log in on phones. Phones ask the person for another PIN first."
        ),
    )


def _state(person: User) -> Cell:
    return Cell(_("active"), tone="good") if person.is_active else Cell(_("not active"), tone="bad")


@USERS.url()
def users(request: PortalRequest) -> HttpResponse:
    rows, pager = page_of(request, people(request.visitor))
    headings = [_("Name"), _("E-mail address"), _("Level"), _("State"), _("Last log-in")]
    table = Table(
        [Heading(each) for each in headings],
        [
            [
                Cell(person.get_full_name(), path=reverse("portal:users-one", args=[person.uuid])),
                person.email,
                person.permission_level,
                _state(person),
                moment(person.last_login),
            ]
            for person in rows
        ],
        pager=pager,
    )
    return show(request, "profiles_app/myaccount/portal/users.html", {"table": table})


@USERS.url("invite/", "invite", post=OPEN)
def invite(request: PortalRequest) -> HttpResponse:
    """The person has no password until they choose one by the link of the mail."""
    visitor = request.visitor
    form = InvitationForm(
        request.POST if request.method == "POST" else None, visitor=visitor, initial={"permission_level": 1}
    )
    if form.is_valid():
        try:
            with transaction.atomic():
                person = create_user(actor=visitor.actor, password=None, account=visitor.account, **form.cleaned_data)
                mail_password_link(person, INVITED)
        except REFUSALS as refused:
            tell(form, refused)
        else:
            messages.success(request, _("%(name)s is invited by mail.") % {"name": person.get_full_name()})
            return HttpResponseRedirect(reverse("portal:users"))
    shown = {
        "form": form,
        "title": _("Invite a person"),
        "save": _("Send the invitation"),
        "back": reverse("portal:users"),
    }
    return show(request, "profiles_app/myaccount/portal/form.html", shown, status=400 if form.errors else 200)


def _one(request: PortalRequest, uuid: str) -> User:
    return get_object_or_404(people(request.visitor), uuid=uuid)


@USERS.url("<uuid:uuid>/", "one", post=OPEN)
def user(request: PortalRequest, uuid: str) -> HttpResponse:
    visitor, person = request.visitor, _one(request, uuid)
    names = ("first_name", "last_name", "phone", "permission_level", "is_active")
    form = PersonChangeForm(
        request.POST if request.method == "POST" else None,
        visitor=visitor,
        initial={name: getattr(person, name) for name in names},
    )
    if form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if value != (getattr(person, name) or "")}
        try:
            change_user(person, actor=visitor.actor, **given)
        except REFUSALS as refused:
            person.refresh_from_db()
            tell(form, refused)
        else:
            messages.success(request, _("%(name)s is changed.") % {"name": person.get_full_name()})
            return HttpResponseRedirect(reverse("portal:users"))
    shown = {
        "form": form,
        "person": person,
        "may_change": may_change(visitor.actor, person),
        "pin_form": OthersPinForm(),
        "has_password": person.has_usable_password(),
    }
    return show(request, "profiles_app/myaccount/portal/user.html", shown, status=400 if form.errors else 200)


@USERS.url("<uuid:uuid>/invite/", "invite-again", get=None, post=OPEN)
def invite_again(request: PortalRequest, uuid: str) -> HttpResponse:
    person = _one(request, uuid)
    if not may_change(request.visitor.actor, person):
        raise PermissionDenied
    mail_password_link(person, INVITED)
    messages.success(request, _("A mail with a link to choose a password is on its way."))
    return HttpResponseRedirect(reverse("portal:users-one", args=[uuid]))


@USERS.url("<uuid:uuid>/pin/", "pin", get=None, post=OPEN)
@sensitive_post_parameters("pin")
def pin(request: PortalRequest, uuid: str) -> HttpResponse:
    person, form = _one(request, uuid), OthersPinForm(request.POST)
    if form.is_valid():
        try:
            change_user(person, actor=request.visitor.actor, pin=form.cleaned_data["pin"])
        except REFUSALS as refused:
            messages.error(request, refusal_of(refused))
        else:
            messages.success(request, _("The PIN is changed."))
    return HttpResponseRedirect(reverse("portal:users-one", args=[uuid]))


def _facts(visitor: Visitor) -> list[Fact]:
    return [Fact(gettext_lazy("People"), people(visitor).filter(is_active=True).count(), USERS.path)]


register_panel(HomePanel(USERS, _facts))
