"""My Calls in the self-service portal: search, sums by day, site and number, export, and the file of each day.

Who manages the account sees its calls, others those of their own lines. What the operator keeps about calls is shown
where the profile says so (portal spec §2).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from profiles_app.calls import reports
from profiles_app.calls.csv import export_calls
from profiles_app.calls.models import CallRecord
from profiles_app.calls.numbers import spelled
from profiles_app.calls.reports import MOST_DAYS, MOST_LINES, USUAL_DAYS, CallPeriod, Sums, price, today
from profiles_app.calls.services import described_numbers, own_calls
from profiles_app.myaccount.portal.pages import Fact, HomePanel, Page, PortalRequest, Visitor, register_panel, show
from profiles_app.myaccount.portal.parts import BarChart, Cell, Heading, Pager, Table, Text, page_of

CALLS = Page("calls", _("My Calls"), place=80, own=True)
WORDS, DAILY = "backend-descriptions", "daily"
DAYS_SHOWN, LATEST = 31, 5
Direction, Disposition = CallRecord.Direction, CallRecord.Disposition
DIRECTIONS = {
    Direction.INBOUND.value: _("Inbound"),
    Direction.OUTBOUND.value: _("Outbound"),
    Direction.INTERNAL.value: _("Internal"),
}
OUTCOMES = {
    Disposition.ANSWERED.value: (_("Answered"), "good"),
    Disposition.NO_ANSWER.value: (_("No answer"), "plain"),
    Disposition.BUSY.value: (_("Busy"), "warn"),
    Disposition.CONGESTION.value: (_("Congestion"), "warn"),
    Disposition.FAILED.value: (_("Failed"), "bad"),
}
ALL = ("", _("All"))
# Browsers take no other spelling, whatever the language.
DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class Places:
    """Where calls belong: what the customer says of its numbers and, with the flag, what the operator says of calls."""

    def __init__(self, visitor: Visitor) -> None:
        self.has_words = CALLS.is_open(visitor, WORDS)
        self.numbers = described_numbers(visitor.account)
        self.sites = {number: lease.site for number, lease in self.numbers.items() if lease.site}

    def __bool__(self) -> bool:
        return self.has_words or bool(self.numbers)

    def narrow(self, rows: QuerySet[CallRecord], site: str) -> QuerySet[CallRecord]:
        ours = [number for number, own in self.sites.items() if own == site]
        inbound = Q(direction=Direction.INBOUND)
        found = Q(inbound, called__in=ours) | Q(~inbound, caller__in=ours)
        return rows.filter(found | Q(site=site) if self.has_words else found)

    def cells(self, call: CallRecord) -> list[object]:
        """Site and description: the customer's own, and the operator's beside them where these are others."""
        number = self.numbers.get(call.called if call.direction == Direction.INBOUND else call.caller)
        own = [number.site, number.description] if number else ["", ""]
        said = [call.site, call.description] if self.has_words else ["", ""]
        texts = [" · ".join(dict.fromkeys(filter(None, pair))) for pair in zip(own, said, strict=True)]
        return [Cell(texts[0], note=call.campaign if self.has_words else ""), texts[1]]


class CallSearch(forms.Form):
    """What is looked for; `first` and `last` are days of the account."""

    first = forms.DateField(label=_("From"), required=False, widget=DAY)
    last = forms.DateField(label=_("To"), required=False, widget=DAY)
    number = forms.CharField(label=_("Number"), required=False, max_length=64)
    direction = forms.ChoiceField(label=_("Direction"), required=False, choices=[ALL, *DIRECTIONS.items()])
    outcome = forms.ChoiceField(
        label=_("Outcome"), required=False, choices=[ALL, *((value, text) for value, (text, _tone) in OUTCOMES.items())]
    )
    site = forms.CharField(label=_("Site"), required=False, max_length=255)

    def __init__(self, request: PortalRequest) -> None:
        self.zone = request.visitor.zone
        self.usual = CallPeriod(today(self.zone) - timedelta(days=USUAL_DAYS - 1), today(self.zone), self.zone)
        asked = request.GET.dict()
        if not {"first", "last"} & asked.keys():
            # What is shown is what stands in the form.
            asked |= {"first": f"{self.usual.first}", "last": f"{self.usual.last}"}
        super().__init__(asked)
        self.places = Places(request.visitor)
        if not self.places:
            del self.fields["site"]

    def clean(self) -> dict[str, object]:
        given = super().clean() or {}
        last = given.get("last") or self.usual.last
        first = given.get("first") or last - timedelta(days=USUAL_DAYS - 1)
        if first > last:
            self.add_error("first", gettext("The first day is after the last one."))
        elif (last - first).days >= MOST_DAYS:
            self.add_error("first", gettext("Choose at most %(days)s days.") % {"days": MOST_DAYS})
        return given | {"first": first, "last": last}

    @property
    def period(self) -> CallPeriod:
        """The one asked for; the usual one where that cannot be shown."""
        if self.is_valid():
            return CallPeriod(self.cleaned_data["first"], self.cleaned_data["last"], self.zone)
        return self.usual

    def narrow(self, rows: QuerySet[CallRecord]) -> QuerySet[CallRecord]:
        asked = self.cleaned_data if self.is_valid() else {}
        if number := spelled(asked.get("number", "")):
            rows = rows.filter(Q(caller=number) | Q(called=number) | Q(extension=number))
        if site := asked.get("site"):
            rows = self.places.narrow(rows, site)
        same = {"direction": asked.get("direction"), "disposition": asked.get("outcome")}
        return rows.filter(**{name: value for name, value in same.items() if value})


def calls_of(visitor: Visitor) -> QuerySet[CallRecord]:
    """What this person may see."""
    rows = CallRecord.objects.filter(account=visitor.account)
    return rows if visitor.manages else own_calls(rows, visitor.person)


@CALLS.url()
def calls(request: PortalRequest) -> HttpResponse:
    search, visitor = CallSearch(request), request.visitor
    rows, period = search.narrow(calls_of(visitor)), search.period
    found, pager = page_of(request, period.of(rows))
    days = reports.by_day(rows, period)
    context = {
        "search": search,
        "total": _total(days),
        "chart": BarChart(_("Calls"), [(day.what[5:], day.calls) for day in days], _("Day")),
        "table": _table(found, visitor, search.places, pager),
        "query": _query(request),
        "has_sites": bool(search.places),
        "has_days": CALLS.is_open(visitor, DAILY),
    }
    return show(request, "profiles_app/calls/portal/calls.html", context, status=400 if search.errors else 200)


def _by_site(rows: QuerySet[CallRecord], period: CallPeriod, places: Places) -> list[Sums]:
    return reports.by_site(rows, period, places.sites, with_operators=places.has_words)


AddUp = Callable[[QuerySet[CallRecord], CallPeriod, Places], list[Sums]]
BY: Mapping[str, tuple[Text, AddUp]] = {
    "day": (_("Day"), lambda rows, period, _places: reports.by_day(rows, period)),
    "number": (_("Number"), lambda rows, period, _places: reports.by_number(rows, period)),
    "site": (_("Site"), _by_site),
}
TITLES = {"day": _("Calls by day"), "number": _("Calls by number"), "site": _("Calls by site")}


@CALLS.url("by/<slug:what>/", "by")
def calls_by(request: PortalRequest, what: str) -> HttpResponse:
    """Sums of the same calls as the search shows."""
    search = CallSearch(request)
    if what not in BY or (what == "site" and not search.places):
        raise Http404
    label, add_up = BY[what]
    sums = add_up(search.narrow(calls_of(request.visitor)), search.period, search.places)
    cut = gettext("These are the %(number)s lines with most calls. The export has all calls.") % {"number": MOST_LINES}
    context = {
        "title": TITLES[what],
        "search": search,
        "table": _sums_table(label, sums),
        "cut": cut if len(sums) == MOST_LINES else "",
        "back": f"{CALLS.path}?{_query(request)}",
    }
    return show(request, "profiles_app/calls/portal/by.html", context, status=400 if search.errors else 200)


@CALLS.url("export.csv", "export")
def calls_export(request: PortalRequest) -> HttpResponseBase:
    search = CallSearch(request)
    return _file(request, search.narrow(calls_of(request.visitor)), search.period)


@CALLS.url("days/", "days", get=DAILY)
def calls_days(request: PortalRequest) -> HttpResponse:
    """Each of the last days with its file."""
    zone = request.visitor.zone
    last = today(zone)
    period = CallPeriod(last - timedelta(days=DAYS_SHOWN - 1), last, zone)
    days = [day for day in reports.by_day(calls_of(request.visitor), period) if day.calls]
    return show(request, "profiles_app/calls/portal/days.html", {"table": _days_table(days), "back": CALLS.path})


@CALLS.url("days/<str:day>.csv", "day", get=DAILY)
def calls_day(request: PortalRequest, day: str) -> HttpResponseBase:
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    if not date(2000, 1, 1) <= wanted <= date(2999, 1, 1):
        raise Http404
    return _file(request, calls_of(request.visitor), CallPeriod(wanted, wanted, request.visitor.zone))


def _file(request: PortalRequest, rows: QuerySet[CallRecord], period: CallPeriod) -> HttpResponseBase:
    pieces = export_calls(
        period.of(rows), operators_words=CALLS.is_open(request.visitor, WORDS), zone=period.zone, for_spreadsheets=True
    )
    days = f"{period.first}" if period.first == period.last else f"{period.first}-{period.last}"
    answer = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="calls-{days}.csv"'
    return answer


def _query(request: HttpRequest) -> str:
    """The search as the query of another page."""
    query = request.GET.copy()
    query.pop("page", None)
    return query.urlencode()


def _total(days: Sequence[Sums]) -> Sums:
    total = Sums("")
    for day in days:
        total.add(day)
    return total


def _table(found: Sequence[CallRecord], visitor: Visitor, places: Places, pager: Pager) -> Table:
    """Few columns, so that a number stays on its line: what goes together stands in one cell."""
    is_recorded = any(call.recording_url for call in found)
    columns = [Heading(text) for text in (_("Start"), _("Caller"), _("Called"), _("Outcome"))]
    columns.append(Heading(_("Cost"), is_number=True))
    if places:
        columns += [Heading(_("Site")), Heading(_("Description"))]
    if is_recorded:
        columns.append(Heading(_("Recording")))
    zone = visitor.zone
    rows = [
        [
            *_cells(call, zone),
            "" if call.cost is None else price(call.cost, call.currency),
            *(places.cells(call) if places else []),
            *([_recording(call)] if is_recorded else []),
        ]
        for call in found
    ]
    return Table(columns, rows, pager=pager)


def _cells(call: CallRecord, zone: ZoneInfo) -> list[object]:
    outcome, tone = OUTCOMES[call.disposition]
    line = gettext("Extension %(number)s") % {"number": call.extension} if call.extension else ""
    is_callers = call.direction != Direction.INBOUND
    return [
        Cell(f"{timezone.localtime(call.started_at, zone):%Y-%m-%d %H:%M}", note=DIRECTIONS[call.direction]),
        Cell(call.caller or gettext("withheld"), note=line if is_callers else ""),
        Cell(call.called, note="" if is_callers else line),
        Cell(outcome, tone=tone, note=f"{call.seconds // 60}:{call.seconds % 60:02d}"),
    ]


def _recording(call: CallRecord) -> object:
    return Cell(gettext("Listen"), path=call.recording_url) if call.recording_url else ""


def _sums_table(label: Text, sums: Sequence[Sums]) -> Table:
    numbers = [Heading(text, is_number=True) for text in (_("Calls"), _("Answered"), _("Minutes"), _("Cost"))]
    rows = [[one.what, one.calls, one.answered, one.minutes, ", ".join(one.charges)] for one in sums]
    return Table([Heading(label), *numbers], rows)


def _days_table(days: Sequence[Sums]) -> Table:
    table = _sums_table(_("Day"), list(reversed(days)))
    rows = [
        [*row, Cell(gettext("Download"), path=reverse("portal:calls-day", args=[str(row[0])]))] for row in table.rows
    ]
    return Table([*table.columns, Heading(_("CSV"))], rows)


def _facts(visitor: Visitor) -> list[Fact]:
    """Of today."""
    zone = visitor.zone
    day = today(zone)
    [sums] = reports.by_day(calls_of(visitor), CallPeriod(day, day, zone))
    return [Fact(_("Calls today"), sums.calls, CALLS.path), Fact(_("Answered"), sums.answered)]


def _latest(visitor: Visitor) -> Mapping[str, object]:
    rows = [_cells(call, visitor.zone) for call in calls_of(visitor)[:LATEST]]
    headings = [Heading(text) for text in (_("Start"), _("Caller"), _("Called"), _("Outcome"))]
    return {"table": Table(headings, rows, caption=_("Latest calls"))}


register_panel(HomePanel(CALLS, _facts, "profiles_app/calls/portal/latest.html", _latest))
