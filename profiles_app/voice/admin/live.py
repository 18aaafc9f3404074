"""The live use of voice profiles as charts: of one on its own page, of all that are in use on a page of the list."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import list_url, page_of
from contacts_app.core.admin.overview import Figure, Panel, shares
from profiles_app.voice.models.admission import Admission
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.spending import NEAR
from profiles_app.voice.usage import Use, use_of, used_today

Reason = Admission.Reason
# More of them are no chart any more: `voice_usage` lists all.
MOST_SHOWN = 50
TONES = {
    Reason.CHANNEL_LIMIT: "bad",
    Reason.DAILY_SPEND_LIMIT: "wait",
    Reason.MAX_RATE: "call",
    Reason.DESTINATION: "next",
    Reason.INACTIVE: "gone",
}


def panel_of(use: Use) -> list[Panel]:
    """What is used of each limit, and refusals by their reasons."""
    profile = use.profile
    url = list_url(Admission, profile__id__exact=profile.pk)
    used = [
        _of_limit("Channels now", use.now.channels, profile.channel_limit, "{:g}", url),
        _of_limit("US dollars spent today", float(use.now.spent), profile.daily_spend_limit, "{:.2f}", url),
    ]
    refused = [
        Figure(reason.label.lower(), use.refused.get(reason, 0), f"{url}&reason__exact={reason}", tone)
        for reason, tone in TONES.items()
    ]
    return [
        Panel(str(profile), "progress", used),
        Panel(f"Refused today (UTC): {use.refusals}", "bar", shares(refused), empty="No call was refused today."),
    ]


def _of_limit(label: str, number: float, limit: float | None, style: str, url: str) -> Figure:
    shown = style.format(number)
    if limit is None:
        return Figure(label, int(number), url, note=f"{shown}, no limit")
    share = min(100 * number / limit, 100) if limit else 100.0
    tone = "bad" if share >= 100 else "wait" if share >= 100 * NEAR else "good"
    return Figure(label, int(number), url, tone, share, f"{shown} of {style.format(limit)}")


class LiveUse(PortalAdmin):
    """Mixed into the pages of voice profiles."""

    change_form_outer_after_template = "profiles_app/voice/live.html"
    actions_list = ("live_use", *PortalAdmin.actions_list)
    pages = {"live": "live/", "live_one": "<int:pk>/live/"}

    @action(description="Live use", icon="monitoring", permissions=["view"])
    def live_use(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("live"))

    def live_page(self, request: HttpRequest) -> HttpResponse:
        """All profiles that are in use or were today; asked for again by itself while it is open."""
        self.require(request, "profiles_app.view_outboundvoiceprofile")
        rows = used_today(self.tenant_rows(request).select_related("account")).order_by("name", "pk")
        profiles = list(rows[: MOST_SHOWN + 1])
        uses = [(page_of(use.profile), panel_of(use)) for use in use_of(profiles[:MOST_SHOWN])]
        context = {"uses": uses, "here": self.url_of("live"), "has_more": len(profiles) > MOST_SHOWN}
        if request.headers.get("HX-Request"):
            return render(request, "profiles_app/voice/uses.html", context)
        return self.page(request, "profiles_app/voice/live_page.html", "Live use of voice profiles", **context)

    def live_one_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request, "profiles_app.view_outboundvoiceprofile")
        return render(request, "profiles_app/voice/live.html", self._live(self.row_or_404(request, pk)))

    def shown(self, request: HttpRequest, row: OutboundVoiceProfile) -> dict[str, Any]:
        return super().shown(request, row) | self._live(row)

    def _live(self, profile: OutboundVoiceProfile) -> dict[str, Any]:
        [use] = use_of([profile])
        return {"panels": panel_of(use), "here": self.url_of("live_one", profile.pk)}
