"""Pages of the self-service portal about phones: a person's own, and those of the account with who is where
(portal spec §2).

A person's own phones are those that run a profile of theirs, and those that they are logged in on.
"""

import contextlib

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from contacts_app.core.errors import Refusal
from contacts_app.core.lists.search import any_match
from contacts_app.people.models import User
from phones_app.deployment.models import FAILURES, State
from phones_app.inventory.models import Phone, Presence
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out
from phones_app.mobility.models import PRESENT, MobilitySession, SessionState, Why
from phones_app.mobility.pin_change import change_own_pin
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
from profiles_app.myaccount.portal.refusals import refusal_of, tell, words_of
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep import parse_mac

PHONES = Page("phones", gettext_lazy("My phones"), place=10, own=True)
ALL_PHONES = Page("account-phones", gettext_lazy("Phones and lines"), place=20)
LOG_OUT = "log-out"
SET_KEYS = "keys"
AWAY = (Presence.UNREACHABLE, Presence.ANOTHER)
# Of phones that need attention, on the home page.
MOST_NAMES = 20

REACHABILITY = {
    Presence.NEVER: Cell(gettext_lazy("not checked yet")),
    Presence.REACHABLE: Cell(gettext_lazy("reachable"), tone="good"),
    Presence.UNREACHABLE: Cell(gettext_lazy("not reachable"), tone="bad"),
    Presence.ANOTHER: Cell(gettext_lazy("another phone answers there"), tone="bad"),
}
UNDER_WAY = Cell(gettext_lazy("under way"), tone="warn")
DEPLOYED = {
    State.CONFIRMED: Cell(gettext_lazy("up to date"), tone="good"),
    State.UPLOADED: Cell(gettext_lazy("at the next restart"), tone="warn"),
    State.RESTART_ACKNOWLEDGED: Cell(gettext_lazy("restarted"), tone="warn"),
    State.FAILED: Cell(gettext_lazy("failed"), tone="bad"),
    State.REJECTED: Cell(gettext_lazy("refused by the phone"), tone="bad"),
    State.CANCELLED: Cell(gettext_lazy("cancelled")),
    State.SUPERSEDED: Cell(gettext_lazy("replaced by a newer one")),
}
SESSIONS = {
    SessionState.LOGGING_IN: gettext_lazy("logging in"),
    SessionState.AT_RESTART: gettext_lazy("logged in at the next restart"),
    SessionState.LOGGED_IN: gettext_lazy("logged in"),
}


def phones_of(visitor: Visitor) -> "QuerySet[Phone]":
    """All phones of the account, with what pages show of them."""
    present = MobilitySession.objects.filter(state__in=PRESENT).order_by("pk")
    rows = Phone.objects.select_related("current_profile__revision", "file__revision", "last_deployment__deployment")
    rows = rows.defer("web_password", "current_profile__revision__content", "file__revision__content", "file__found")
    rows = rows.prefetch_related(Prefetch("mobility_sessions", present, to_attr="present_sessions"))
    return visitor.actor.sees(rows).filter(replaced_by=None).order_by("mac", "pk")


def own_phones(visitor: Visitor) -> "QuerySet[Phone]":
    here = MobilitySession.objects.filter(user=visitor.person, state__in=PRESENT).values("phone")
    return phones_of(visitor).filter(Q(current_profile__user=visitor.person) | Q(pk__in=here))


def own_profiles(person: User) -> "QuerySet[PhoneProfile]":
    rows = PhoneProfile.objects.filter(Q(user=person) | Q(assigned_to__user=person))
    return rows.exclude(revision=None).distinct().order_by("name", "pk")


class PhoneShown:
    """What the pages say of a phone, in words for people who are no engineers."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.reachability = REACHABILITY[Presence(phone.presence)]
        last = getattr(phone, "last_deployment", None)
        self.deployment = DEPLOYED.get(State(last.deployment.state), UNDER_WAY) if last else None
        self.deployed_at = moment(last.deployment.created_at) if last else ""
        found: list[MobilitySession] = getattr(phone, "present_sessions", [])
        self.session = found[0] if found else None

    @property
    def name(self) -> str:
        return self.phone.name or f"SEP{self.phone.mac}"

    @property
    def kind(self) -> str:
        return " ".join(filter(None, (self.phone.brand, self.phone.model)))

    @property
    def lines(self) -> str:
        """Of the file that was uploaded last; of a phone that was taken over with its file, of its profile."""
        file, profile = getattr(self.phone, "file", None), self.phone.current_profile
        revision = (file.revision if file else None) or (profile.revision if profile else None)
        facts = revision.facts if revision else {}
        return ", ".join(str(line.get("label") or line.get("name") or "") for line in facts.get("lines", ()))

    @property
    def session_state(self) -> object:
        return SESSIONS[SessionState(self.session.state)] if self.session else ""


class PhoneLogInForm(forms.Form):
    """The phone is named and not chosen from a list: who does not manage the account sees only their own phones."""

    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=64,
        help_text=gettext_lazy("Its name, or the MAC address that stands on its back."),
    )
    profile = forms.ModelChoiceField(PhoneProfile.objects.none(), label=gettext_lazy("Profile"), empty_label=None)

    def __init__(self, *args: object, visitor: Visitor) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.visitor = visitor
        self.fields["profile"].queryset = own_profiles(visitor.person)  # type: ignore[attr-defined]

    def clean_phone(self) -> Phone:
        named = str(self.cleaned_data["phone"]).strip()
        wanted = Q(name__iexact=named)
        with contextlib.suppress(ValueError):
            wanted |= Q(mac=parse_mac(named))
        found = list(self.visitor.actor.sees(Phone.objects.all()).filter(wanted, replaced_by=None)[:2])
        if len(found) != 1:
            raise ValidationError(_("Several phones have this name.") if found else _("There is no such phone."))
        return found[0]


@PHONES.url(post=OPEN)
def phones(request: PortalRequest) -> HttpResponse:
    """The person's phones; a POST logs them in on one."""
    visitor = request.visitor
    form = (
        PhoneLogInForm(request.POST, visitor=visitor) if request.method == "POST" else PhoneLogInForm(visitor=visitor)
    )
    if form.is_valid():
        try:
            log_in(
                form.cleaned_data["phone"], visitor.person, profile=form.cleaned_data["profile"], actor=visitor.actor
            )
        except Refusal as refusal:
            form.add_error("phone", refusal_of(refusal))
        else:
            messages.success(request, _("You are being logged in; the phone restarts with your profile."))
            return HttpResponseRedirect(reverse("portal:phones"))
    found, pager = page_of(request, own_phones(visitor), per_page=100)
    shown = {
        "phones": [PhoneShown(phone) for phone in found],
        "pager": pager,
        "form": form,
        "has_profile": own_profiles(visitor.person).exists(),
        "may_set_keys": PHONES.is_open(visitor, SET_KEYS),
    }
    return show(request, "phones_app/mobility/portal/phones.html", shown, status=400 if form.errors else 200)


def _end(request: PortalRequest, session: MobilitySession | None, why: Why) -> None:
    if session is None:
        raise Http404
    ended = log_out(session, why=why, actor=request.visitor.actor)
    if ended.note:
        messages.warning(request, _("The log-out is tried again: %(why)s") % {"why": words_of(ended.note)})
    else:
        messages.success(request, _("The phone goes back to its own profile."))


@PHONES.url("<uuid:uuid>/log-out/", "log-out", get=None, post=OPEN)
def log_me_out(request: PortalRequest, uuid: str) -> HttpResponse:
    """Where the person is logged in themselves."""
    rows = request.visitor.actor.sees(MobilitySession.objects.filter(user=request.visitor.person))
    _end(request, rows.filter(phone__uuid=uuid, state__in=PRESENT).first(), Why.PERSON)
    return HttpResponseRedirect(reverse("portal:phones"))


class OwnPinForm(forms.Form):
    widget = forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"})
    pin = forms.CharField(label=gettext_lazy("New PIN"), max_length=16, widget=widget)
    again = forms.CharField(label=gettext_lazy("New PIN once more"), max_length=16, widget=widget)

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        if given.get("pin") != given.get("again"):
            self.add_error("again", _("The two are not the same."))
        return given


@PHONES.url("pin/", "pin", post=OPEN)
@sensitive_post_parameters()
def own_pin(request: PortalRequest) -> HttpResponse:
    """As over REST in a session of the person's own, the present PIN is not asked for."""
    form = OwnPinForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            change_own_pin(request.visitor.person, form.cleaned_data["pin"])
        except ValidationError as refused:
            tell(form, refused)
        else:
            messages.success(request, _("Your PIN is changed."))
            return HttpResponseRedirect(reverse("portal:phones"))
    shown = {
        "form": form,
        "title": _("PIN for phones"),
        "text": _("With your e-mail address and this PIN you log in on phones."),
        "back": reverse("portal:phones"),
    }
    return show(request, "profiles_app/myaccount/portal/form.html", shown, status=400 if form.errors else 200)


@ALL_PHONES.url()
def account_phones(request: PortalRequest) -> HttpResponse:
    asked = request.GET.get("q", "").strip()[:100]
    rows = phones_of(request.visitor)
    for word in asked.split():
        mac = word.translate(str.maketrans("", "", ":-.")).upper().removeprefix("SEP")
        rows = rows.filter(
            any_match(Phone, ["name", "location", "model", "phone_ip"], word) | any_match(Phone, ["mac"], mac or word)
        )
    found, pager = page_of(request, rows)
    headings = [_("Phone"), _("Location"), _("Lines"), _("Reachability"), _("Last deployment"), _("Logged in")]
    table = Table([Heading(each) for each in headings], [_row(phone) for phone in found], pager=pager)
    shown = {"table": table, "q": asked}
    return show(request, "phones_app/mobility/portal/account_phones.html", shown)


def _row(phone: Phone) -> list[object]:
    one = PhoneShown(phone)
    deployment = one.deployment
    return [
        Cell(one.name, note=one.kind, path=reverse("portal:account-phones-one", args=[phone.uuid])),
        phone.location,
        one.lines,
        one.reachability,
        Cell(deployment.text, tone=deployment.tone, note=one.deployed_at) if deployment else "",
        Cell(one.session.person_name, note=str(one.session_state)) if one.session else "",
    ]


@ALL_PHONES.url("<uuid:uuid>/", "one")
def account_phone(request: PortalRequest, uuid: str) -> HttpResponse:
    phone = get_object_or_404(phones_of(request.visitor), uuid=uuid)
    shown = {"one": PhoneShown(phone), "may_log_out": ALL_PHONES.is_open(request.visitor, LOG_OUT)}
    return show(request, "phones_app/mobility/portal/phone.html", shown)


@ALL_PHONES.url("<uuid:uuid>/log-out/", "log-out", get=None, post=LOG_OUT)
def log_them_out(request: PortalRequest, uuid: str) -> HttpResponse:
    rows = request.visitor.actor.sees(MobilitySession.objects.all())
    _end(request, rows.filter(phone__uuid=uuid, state__in=PRESENT).first(), Why.PORTAL)
    return HttpResponseRedirect(reverse("portal:account-phones-one", args=[uuid]))


def _own_facts(visitor: Visitor) -> list[Fact]:
    mine = own_phones(visitor)
    facts = [Fact(gettext_lazy("Phones"), mine.count(), PHONES.path)]
    troubled = mine.filter(Q(presence__in=AWAY) | Q(last_deployment__deployment__state__in=FAILURES))[: MOST_NAMES + 1]
    if names := [PhoneShown(phone).name for phone in troubled]:
        words = ", ".join(names[:MOST_NAMES]) + (" …" if len(names) > MOST_NAMES else "")
        facts.append(Fact(gettext_lazy("Need attention"), words, PHONES.path, is_trouble=True))
    return facts


def _facts(visitor: Visitor) -> list[Fact]:
    rows = visitor.actor.sees(Phone.objects.filter(replaced_by=None))
    facts = [Fact(gettext_lazy("Phones"), rows.count(), ALL_PHONES.path)]
    if away := rows.filter(is_active=True, presence__in=AWAY).count():
        words = ngettext("%(number)s phone", "%(number)s phones", away) % {"number": away}
        facts.append(Fact(gettext_lazy("Not reachable"), words, ALL_PHONES.path, is_trouble=True))
    bad = rows.filter(last_deployment__deployment__state__in=FAILURES).count()
    if bad:
        words = ngettext("%(number)s phone", "%(number)s phones", bad) % {"number": bad}
        facts.append(Fact(gettext_lazy("Failed deployments"), words, ALL_PHONES.path, is_trouble=True))
    return facts


register_panel(HomePanel(PHONES, _own_facts))
register_panel(HomePanel(ALL_PHONES, _facts))
