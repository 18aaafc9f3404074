"""*Campaigns* in the self-service portal: messaging profiles with their numbers, reports and opt-outs."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts_app.core.errors import Refusal
from contacts_app.core.lists.search import number_match
from contacts_app.core.values import digits
from profiles_app.messaging.models import HEALTHY, MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import OptOut
from profiles_app.messaging.sending.reports import MessageSums, recent_days, sums_by_day, sums_by_profile
from profiles_app.messaging.services import is_healthy, move_number_lease, save_messaging_profile
from profiles_app.myaccount.portal.pages import Fact, HomePanel, Page, PortalRequest, Visitor, register_panel, show
from profiles_app.myaccount.portal.parts import BarChart, Cell, Heading, Pager, Table, moment, page_of

CAMPAIGNS = Page("campaigns", gettext_lazy("Campaigns"), place=70)
CHANGE, CREATE, ASSIGN, REPORTS = "change", "create", "numbers", "reports"
TEMPLATES = "profiles_app/messaging/portal"
FORM = "profiles_app/myaccount/portal/form.html"
KINDS = {NumberLease.Kind.LONG_CODE: gettext_lazy("Ordinary"), NumberLease.Kind.TOLLFREE: gettext_lazy("Toll-free")}


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """What customers say of a campaign. Its webhooks are for programs, and stay with REST and the operator."""

    class Meta:
        model = MessagingProfile
        fields = (
            *("name", "number_pool_enable", "long_code_weight", "tollfree_weight"),
            *("skip_unhealthy_tns", "sticky_sender", "opt_out_words", "opt_in_words"),
        )
        labels = {
            "name": gettext_lazy("Name"),
            "number_pool_enable": gettext_lazy("Choose the sender among the numbers of the campaign"),
            "long_code_weight": gettext_lazy("Weight of ordinary numbers"),
            "tollfree_weight": gettext_lazy("Weight of toll-free numbers"),
            "skip_unhealthy_tns": gettext_lazy("Leave out unhealthy numbers"),
            "sticky_sender": gettext_lazy("Keep the same sender for each recipient"),
            "opt_out_words": gettext_lazy("Opt-out words"),
            "opt_in_words": gettext_lazy("Opt-in words"),
        }
        help_texts = {
            "number_pool_enable": gettext_lazy("For messages that name the campaign and no sender."),
            "long_code_weight": gettext_lazy("Their share of the messages, 0 to 9; 0: none."),
            "tollfree_weight": gettext_lazy("Their share of the messages, 0 to 9; 0: none."),
            "skip_unhealthy_tns": gettext_lazy("Those with under 25 % delivered, or over 75 % taken for spam."),
            "sticky_sender": "",
            "opt_out_words": gettext_lazy(
                "Separated by commas. Who answers with one of them gets no more messages. Empty: none does."
            ),
            "opt_in_words": gettext_lazy("Separated by commas. Who answers with one of them gets messages again."),
        }


class Numbers(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Numbers to tick, each with the campaign that has it now."""

    def label_from_instance(self, obj: NumberLease) -> str:
        return _("+%(number)s, now in %(campaign)s") % {"number": obj.tn, "campaign": obj.messaging_profile.name}


class AssignForm(forms.Form):
    numbers = Numbers(NumberLease.objects.none(), label="", widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, shown: list[NumberLease], candidates: QuerySet[NumberLease]) -> None:
        super().__init__(*args)
        field = self.fields["numbers"]
        field.label = _("Numbers")
        field.error_messages["required"] = _("Choose at least one number.")
        field.queryset = candidates  # type: ignore[attr-defined]
        # Those of the page: an account may have more numbers than a browser shows.
        field.choices = [(one.pk, field.label_from_instance(one)) for one in shown]  # type: ignore[attr-defined]


def campaigns_of(visitor: Visitor) -> QuerySet[MessagingProfile]:
    return visitor.actor.sees(MessagingProfile.objects.select_related("account"))


def leases_of(visitor: Visitor) -> QuerySet[NumberLease]:
    return visitor.actor.sees(NumberLease.objects.select_related("messaging_profile"))


def campaign_named(request: PortalRequest, uuid: UUID) -> MessagingProfile:
    return get_object_or_404(campaigns_of(request.visitor), uuid=uuid)


def weights_of(campaign: MessagingProfile) -> str:
    return f"{campaign.long_code_weight} : {campaign.tollfree_weight}" if campaign.number_pool_enable else _("off")


@CAMPAIGNS.url()
def campaigns(request: PortalRequest) -> HttpResponse:
    found, pager = page_of(request, campaigns_of(request.visitor))
    reports = CAMPAIGNS.is_open(request.visitor, REPORTS)
    context = {
        "table": _table(found, pager, with_reports=reports),
        "may_create": CAMPAIGNS.is_open(request.visitor, CREATE),
    }
    return show(request, f"{TEMPLATES}/campaigns.html", context)


def _table(found: list[MessagingProfile], pager: Pager, *, with_reports: bool) -> Table:
    keys = [campaign.pk for campaign in found]
    numbers = _counts(NumberLease.objects.filter(messaging_profile__in=keys), "messaging_profile")
    columns = [
        Heading(_("Campaign")),
        Heading(_("Numbers"), is_number=True),
        Heading(_("Weights, ordinary : toll-free")),
    ]
    rows: list[list[object]] = [
        [_campaign_cell(campaign), numbers.get(campaign.pk, 0), weights_of(campaign)] for campaign in found
    ]
    if with_reports:
        labels = _("Sent in 30 days"), _("Delivered"), _("Failed"), _("Opt-outs")
        columns += [Heading(label, is_number=True) for label in labels]
        sums = sums_by_profile(keys, recent_days())
        opt_outs = _counts(OptOut.objects.filter(profile__in=keys), "profile")
        for row, key in zip(rows, keys, strict=True):
            of = sums.get(key, MessageSums())
            row += [of.sent, of.delivered, of.failed, opt_outs.get(key, 0)]
    return Table(columns, rows, empty=_("Your account has no campaign."), pager=pager)


def _campaign_cell(campaign: MessagingProfile) -> Cell:
    note = _("For numbers without a campaign of their own") if campaign.is_default else ""
    return Cell(campaign.name, path=reverse("portal:campaigns-one", args=[campaign.uuid]), note=note)


def _counts(rows: "QuerySet[Any]", key: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(key).annotate(Count("pk")))


@CAMPAIGNS.url("<uuid:uuid>/", "one")
def campaign_page(request: PortalRequest, uuid: UUID) -> HttpResponse:
    campaign = campaign_named(request, uuid)
    leases = leases_of(request.visitor).filter(messaging_profile=campaign)
    found, pager = page_of(request, leases.order_by("created_at", "pk"))
    links = {
        REPORTS: ("portal:campaigns-report", _("Report")),
        CHANGE: ("portal:campaigns-edit", _("Change")),
        ASSIGN: ("portal:campaigns-numbers", _("Assign numbers")),
    }
    context = {
        "campaign": campaign,
        "facts": _settings(campaign),
        "links": [
            (reverse(name, args=[uuid]), label)
            for button, (name, label) in links.items()
            if CAMPAIGNS.is_open(request.visitor, button)
        ],
        "table": _numbers(found, pager),
        "back": CAMPAIGNS.path,
    }
    return show(request, f"{TEMPLATES}/campaign.html", context)


def _settings(campaign: MessagingProfile) -> list[tuple[object, object]]:
    labels = CampaignForm.Meta.labels
    yes_no = {True: _("Yes"), False: _("No")}
    shown = {
        name: yes_no[value] if isinstance(value, bool) else value
        for name in CampaignForm.Meta.fields
        if (value := getattr(campaign, name)) is not None and name != "name"
    }
    return [(labels[name], "–" if value == "" else value) for name, value in shown.items()]


def _numbers(found: list[NumberLease], pager: Pager) -> Table:
    columns = [
        *(Heading(_("Number")), Heading(_("Kind")), Heading(_("Description"))),
        *(Heading(_("Sent lately"), is_number=True), Heading(_("Delivered"), is_number=True), Heading(_("Health"))),
    ]
    rows = [
        [
            *(f"+{lease.tn}", KINDS[NumberLease.Kind(lease.kind)], lease.description),
            *(lease.sent_count, lease.delivered_count),
            Cell(_("Healthy"), tone="good") if is_healthy(lease) else Cell(_("Unhealthy"), tone="bad"),
        ]
        for lease in found
    ]
    return Table(columns, rows, empty=_("No number is assigned to this campaign."), pager=pager)


@CAMPAIGNS.url("new/", "create", get=CREATE, post=CREATE)
def create(request: PortalRequest) -> HttpResponse:
    campaign = MessagingProfile(account=request.visitor.account)
    return _form(request, campaign, _("New campaign"), CAMPAIGNS.path)


@CAMPAIGNS.url("<uuid:uuid>/edit/", "edit", get=CHANGE, post=CHANGE)
def edit(request: PortalRequest, uuid: UUID) -> HttpResponse:
    campaign = campaign_named(request, uuid)
    title = _("Change %(campaign)s") % {"campaign": campaign.name}
    return _form(request, campaign, title, reverse("portal:campaigns-one", args=[uuid]))


def _form(request: PortalRequest, campaign: MessagingProfile, title: str, back: str) -> HttpResponse:
    form = CampaignForm(request.POST if request.method == "POST" else None, instance=campaign)
    if form.is_valid():
        changed = form.changed_data if campaign.pk else None
        save_messaging_profile(form.instance, actor=request.visitor.actor, changed=changed)
        messages.success(request, _("The campaign is saved."))
        return HttpResponseRedirect(reverse("portal:campaigns-one", args=[campaign.uuid]))
    shown = {"form": form, "title": title, "back": back}
    return show(request, FORM, shown, status=400 if form.errors else 200)


@CAMPAIGNS.url("<uuid:uuid>/numbers/", "numbers", get=ASSIGN, post=ASSIGN)
def assign(request: PortalRequest, uuid: UUID) -> HttpResponse:
    """Numbers of other campaigns, to be taken into this one; so none is ever without a campaign."""
    campaign = campaign_named(request, uuid)
    others = leases_of(request.visitor).exclude(messaging_profile=campaign)
    asked = digits(request.GET.get("number", ""))
    wanted = others.filter(number_match("tn", asked)) if asked else others
    found, pager = page_of(request, wanted.order_by("created_at", "pk"))
    form = AssignForm(request.POST if request.method == "POST" else None, shown=found, candidates=others)
    if form.is_valid():
        _move(form.cleaned_data["numbers"], campaign, request.visitor)
        messages.success(request, _("The numbers are assigned to the campaign."))
        return HttpResponseRedirect(reverse("portal:campaigns-one", args=[uuid]))
    context = {
        "campaign": campaign,
        "title": _("Assign numbers to %(campaign)s") % {"campaign": campaign.name},
        "form": form,
        "has_numbers": bool(found),
        "asked": asked,
        "pager": pager,
        "back": reverse("portal:campaigns-one", args=[uuid]),
    }
    return show(request, f"{TEMPLATES}/assign.html", context, status=400 if form.errors else 200)


@transaction.atomic
def _move(leases: QuerySet[NumberLease], campaign: MessagingProfile, visitor: Visitor) -> None:
    """All of them or none; a campaign that was deleted in the meantime is not found."""
    for lease in leases:
        try:
            move_number_lease(lease, campaign, actor=visitor.actor)
        except Refusal:
            raise Http404 from None


@CAMPAIGNS.url("<uuid:uuid>/report/", "report", get=REPORTS)
def report(request: PortalRequest, uuid: UUID) -> HttpResponse:
    campaign = campaign_named(request, uuid)
    days = recent_days()
    sums = sums_by_day(campaign.pk, days)
    of = [(day, sums.get(day, MessageSums())) for day in days]
    numbers = _("Messages"), _("Sent"), _("Delivered"), _("Failed")
    table = Table(
        [Heading(_("Day")), *(Heading(label, is_number=True) for label in numbers)],
        [[day.isoformat(), one.messages, one.sent, one.delivered, one.failed] for day, one in reversed(of)],
    )
    # Ordered as the index which keeps them unique is.
    opted_out, pager = page_of(request, OptOut.objects.filter(profile=campaign).order_by("recipient"))
    columns = [Heading(_("Recipient")), Heading(_("Word")), Heading(_("Time"))]
    rows = [[f"+{one.recipient}", one.word, moment(one.created_at)] for one in opted_out]
    context = {
        "title": _("Report of %(campaign)s") % {"campaign": campaign.name},
        "chart": BarChart(
            _("Sent"), [(day.isoformat()[5:], one.sent) for day, one in of if sums], _("Day"), details=table
        ),
        "total": sum(sums.values(), MessageSums()),
        "opt_outs": Table(columns, rows, empty=_("No recipient has opted out."), pager=pager),
        "back": reverse("portal:campaigns-one", args=[uuid]),
    }
    return show(request, f"{TEMPLATES}/report.html", context)


def _home(visitor: Visitor) -> list[Fact]:
    unhealthy = leases_of(visitor).filter(~HEALTHY).count()
    facts = [Fact(_("Campaigns"), campaigns_of(visitor).count(), CAMPAIGNS.path)]
    if unhealthy:
        facts.append(Fact(_("Unhealthy numbers"), unhealthy, CAMPAIGNS.path, is_trouble=True))
    return facts


register_panel(HomePanel(CAMPAIGNS, _home))
