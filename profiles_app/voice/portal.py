"""Call plans in the self-service portal: what outbound calls of the account may cost, and what they have cost today."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts_app.core.work import clock
from contacts_app.templatetags.moments import exact
from profiles_app.myaccount.portal.pages import Fact, HomePanel, Page, PortalRequest, Visitor, register_panel, show
from profiles_app.myaccount.portal.parts import Cell, Heading, Table, page_of
from profiles_app.voice.models.admission import Admission
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.services import save_outbound_voice_profile
from profiles_app.voice.usage import Use, use_of, used_today

CALL_PLANS = Page("call-plans", gettext_lazy("Call plans"), place=60)
CHANGE = "change"
LIMITS = ("channel_limit", "max_rate", "daily_spend_limit")
RECORDING = ("record_calls", "recorded_callers", "file_format", "audio_track_type")
REASONS = {
    Admission.Reason.CHANNEL_LIMIT: gettext_lazy("All channels in use"),
    Admission.Reason.MAX_RATE: gettext_lazy("Price too high"),
    Admission.Reason.DAILY_SPEND_LIMIT: gettext_lazy("Daily spend limit"),
    Admission.Reason.DESTINATION: gettext_lazy("Destination not allowed"),
    Admission.Reason.INACTIVE: gettext_lazy("Call plan blocked"),
}

Recording, Tracks = OutboundVoiceProfile.Recording, OutboundVoiceProfile.Tracks
RECORDED = {
    Recording.NONE: gettext_lazy("No calls"),
    Recording.ALL: gettext_lazy("All calls"),
    Recording.BY_CALLER: gettext_lazy("By caller number"),
}
TRACKS = {
    Tracks.SINGLE: gettext_lazy("Both sides on one track"),
    Tracks.DUAL: gettext_lazy("Each side on its own track"),
}


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the operator lets customers change of a plan."""

    class Meta:
        model = OutboundVoiceProfile
        fields = (*LIMITS, *RECORDING)
        labels = {
            "channel_limit": gettext_lazy("Calls at a time"),
            "max_rate": gettext_lazy("Highest price per minute (US dollars)"),
            "daily_spend_limit": gettext_lazy("Spend limit per day, UTC (US dollars)"),
            "record_calls": gettext_lazy("Recorded calls"),
            "recorded_callers": gettext_lazy("Recorded caller numbers, one on each line"),
            "file_format": gettext_lazy("Recording format"),
            "audio_track_type": gettext_lazy("Recording tracks"),
        }
        help_texts = dict.fromkeys((*LIMITS, *RECORDING), "") | dict.fromkeys(LIMITS, gettext_lazy("Empty: no limit."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {*LIMITS, *RECORDING}.difference(allowed(self.instance)):
            del self.fields[name]
        # 2 and not 2.0, which is what the column holds.
        for name in LIMITS:
            if (limit := self.initial.get(name)) is not None and limit == int(limit):
                self.initial[name] = int(limit)
        if "recorded_callers" in self.fields:
            self.fields["recorded_callers"].widget.attrs["rows"] = 4
        for name, texts in (("record_calls", RECORDED.items()), ("audio_track_type", TRACKS.items())):
            if isinstance(field := self.fields.get(name), forms.TypedChoiceField):
                field.choices = list(texts)


def allowed(plan: OutboundVoiceProfile) -> Sequence[str]:
    """The fields that the operator lets the customer change."""
    return (*(LIMITS if plan.customer_limits else ()), *(RECORDING if plan.customer_recording else ()))


def plans_of(visitor: Visitor) -> QuerySet[OutboundVoiceProfile]:
    return visitor.actor.sees(OutboundVoiceProfile.objects.select_related("account"))


def used(number: str, limit: float | None, style: str) -> str:
    if limit is None:
        return _("%(used)s, no limit") % {"used": number}
    return _("%(used)s of %(limit)s") % {"used": number, "limit": number_format(style.format(limit))}


def channels_of(use: Use) -> str:
    return used(str(use.now.channels), use.profile.channel_limit, "{:g}")


def spent_of(use: Use) -> str:
    return used(number_format(use.now.spent, 2), use.profile.daily_spend_limit, "{:.2f}")


def state_of(plan: OutboundVoiceProfile) -> Cell:
    return Cell(_("Active"), tone="good") if plan.is_active else Cell(_("Blocked"), tone="bad")


@CALL_PLANS.url()
def call_plans(request: PortalRequest) -> HttpResponse:
    found, pager = page_of(request, plans_of(request.visitor).order_by("name", "pk"))
    headings = [
        Heading(_("Call plan")),
        Heading(_("State")),
        Heading(_("Tech prefix")),
        Heading(_("Channels now"), is_number=True),
        Heading(_("US dollars today"), is_number=True),
        Heading(_("Refused today"), is_number=True),
    ]
    rows = [
        (
            Cell(use.profile.name, reverse("portal:call-plans-plan", args=[use.profile.uuid])),
            state_of(use.profile),
            use.profile.tech_prefix,
            channels_of(use),
            spent_of(use),
            use.refusals,
        )
        for use in use_of(found)
    ]
    table = Table(headings, rows, empty=_("Your account has no call plan."), pager=pager)
    return show(request, "profiles_app/myaccount/portal/list.html", {"table": table})


@CALL_PLANS.url("<uuid:uuid>/", "plan")
def plan(request: PortalRequest, uuid: UUID) -> HttpResponse:
    """Limits, today's use, and the calls that were asked for."""
    [use] = use_of([plan_named(request, uuid)])
    calls, pager = page_of(request, Admission.objects.filter(profile=use.profile))
    may_change = CALL_PLANS.is_open(request.visitor, CHANGE) and allowed(use.profile)
    shown = {
        "plan": use.profile,
        "state": state_of(use.profile),
        "facts": facts_of(use),
        "refused": [(REASONS[Admission.Reason(reason)], number) for reason, number in use.refused.items()],
        "table": Table(CALLS, [call_row(call) for call in calls], pager=pager),
        "change": reverse("portal:call-plans-edit", args=[uuid]) if may_change else "",
    }
    return show(request, "profiles_app/voice/portal/plan.html", shown)


@CALL_PLANS.url("<uuid:uuid>/edit/", "edit", get=CHANGE, post=CHANGE)
def edit(request: PortalRequest, uuid: UUID) -> HttpResponse:
    profile = plan_named(request, uuid)
    if not allowed(profile):
        raise Http404
    back = reverse("portal:call-plans-plan", args=[uuid])
    form = PlanForm(request.POST if request.method == "POST" else None, instance=profile)
    if form.is_valid():
        save_outbound_voice_profile(form.instance, actor=request.visitor.actor, changed=form.changed_data)
        messages.success(request, _("The call plan is changed."))
        return HttpResponseRedirect(back)
    # The name as it is stored: what was typed may not be.
    shown = {"form": form, "title": _("Change %(plan)s") % {"plan": profile.name}, "back": back}
    return show(request, "profiles_app/myaccount/portal/form.html", shown, status=400 if form.errors else 200)


def plan_named(request: PortalRequest, uuid: UUID) -> OutboundVoiceProfile:
    return get_object_or_404(plans_of(request.visitor), uuid=uuid)


CALLS = [
    Heading(gettext_lazy("Time")),
    Heading(gettext_lazy("Caller")),
    Heading(gettext_lazy("Destination")),
    Heading(gettext_lazy("Result")),
    Heading(gettext_lazy("Seconds"), is_number=True),
    Heading(gettext_lazy("US dollars"), is_number=True),
]


def call_row(call: Admission) -> tuple[object, ...]:
    if call.reason:
        result = Cell(_("Refused"), tone="bad", note=REASONS[Admission.Reason(call.reason)])
    elif call.ended_at:
        result = Cell(_("Ended"), tone="good")
    elif call.expires_at and call.expires_at <= clock.now():
        # Nothing was heard of it in time: it holds no channel any more.
        result = Cell(_("Expired"), tone="warn")
    else:
        result = Cell(_("Running"), tone="plain")
    cost = None if call.cost is None else number_format(call.cost, 4)
    return exact(call.created_at), call.caller, call.destination, result, call.seconds, cost


def facts_of(use: Use) -> list[tuple[str, object]]:
    profile = use.profile
    price = _("any") if profile.max_rate is None else number_format(f"{profile.max_rate:g}")
    return [
        (_("Tech prefix"), profile.tech_prefix),
        (_("Channels now"), channels_of(use)),
        (_("US dollars today (UTC)"), spent_of(use)),
        (_("Highest price per minute"), price),
        (_("Recorded calls"), RECORDED[Recording(profile.record_calls)]),
        (_("Calls that ended today"), use.calls),
        (_("Calls refused today"), use.refusals),
    ]


def _home(visitor: Visitor) -> list[Fact]:
    # The others add nothing to any of these.
    uses = use_of(list(used_today(plans_of(visitor))))
    refused = sum(use.refusals for use in uses)
    path = CALL_PLANS.path
    return [
        Fact(_("Channels now"), sum(use.now.channels for use in uses), path),
        Fact(_("US dollars today"), number_format(sum(use.now.spent for use in uses), 2), path),
        Fact(_("Calls refused today"), refused, path, is_trouble=bool(refused)),
    ]


register_panel(HomePanel(CALL_PLANS, _home))
