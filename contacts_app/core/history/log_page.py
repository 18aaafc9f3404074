"""The change log of the admin: what changed, on whichever record, for people who may see such records."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.timezone import make_aware
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.history.authorship import CHANNELS
from contacts_app.core.history.change_log import LogPlace, LogQuery, read_log
from contacts_app.core.history.entries import KINDS, HistoryEntry, entry_of
from contacts_app.core.history.logged_kinds import LoggedKind, kinds_of

ANY = ("", "Any")
# Days that have a midnight before and after them in every time zone.
NEAR = (MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31)))


class LogDay(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "date"


class LogForm(forms.Form):
    """What is looked for; every box may be empty."""

    who = forms.CharField(
        required=False,
        max_length=255,
        label="Who",
        help_text="A person's e-mail address or user name, a token, or system",
        widget=UnfoldAdminTextInputWidget,
    )
    text = forms.CharField(
        required=False, max_length=255, label="Name of the record", widget=UnfoldAdminTextInputWidget
    )
    kind = forms.ChoiceField(required=False, label="Kind of record", widget=UnfoldAdminSelectWidget)
    action = forms.ChoiceField(
        required=False,
        choices=[ANY, *((sign, word) for sign, (word, _) in KINDS.items())],
        widget=UnfoldAdminSelectWidget,
    )
    channel = forms.ChoiceField(
        required=False, label="Through", choices=[ANY, *CHANNELS.items()], widget=UnfoldAdminSelectWidget
    )
    first_day = forms.DateField(required=False, label="From", widget=LogDay, validators=NEAR)
    last_day = forms.DateField(required=False, label="To", widget=LogDay, validators=NEAR)

    def __init__(self, request: HttpRequest, kinds: dict[str, LoggedKind]) -> None:
        super().__init__(request.GET)
        names = [(name, capfirst(str(kind.model._meta.verbose_name_plural))) for name, kind in kinds.items()]
        cast("forms.ChoiceField", self.fields["kind"]).choices = [ANY, *sorted(names, key=lambda each: each[1].lower())]
        if chooser := _account_chooser(request, kinds):
            self.fields["account"] = chooser

    def query(self) -> LogQuery:
        given = self.cleaned_data
        first, last = given.get("first_day"), given.get("last_day")
        return LogQuery(
            who=given["who"],
            text=given["text"],
            action=given["action"],
            channel=given["channel"],
            since=_midnight(first) if first else None,
            until=_midnight(last + timedelta(days=1)) if last else None,
        )


def may_see_change_log(request: HttpRequest) -> bool:
    return any(True for _ in kinds_of(request))


def change_log_page(request: HttpRequest) -> HttpResponse:
    """To be wrapped in the admin's `admin_view`."""
    kinds = {kind.name: kind for kind in kinds_of(request)}
    if not kinds:
        raise PermissionDenied
    form = LogForm(request, kinds)
    context = {**admin.site.each_context(request), "title": "Change log", "form": form, "media": form.media}
    if form.is_valid():
        given = form.cleaned_data
        account = actor_of(request).account or given.get("account")
        asked = form.query()
        chosen = {given["kind"]: kinds[given["kind"]]} if given["kind"] else kinds
        sources = {name: kind.rows(request, account) for name, kind in chosen.items()}
        page = read_log(sources, asked, _place_in(request))
        context |= {
            "changes": _with_links(request, [(kinds[name], row) for name, row in page.rows]),
            "following": _query(request, after=str(page.following)) if page.following else "",
            "stopped": page.following.moment if page.following and page.stopped else None,
            "newest": _query(request),
            "asked": bool(_query(request)),
        }
    request.current_app = admin.site.name
    return TemplateResponse(request, "contacts_app/core/change_log.html", context)


@dataclass(frozen=True)
class LoggedChange:
    entry: HistoryEntry
    kind: str
    url: str


def _with_links(request: HttpRequest, rows: list[tuple[LoggedKind, Any]]) -> list[LoggedChange]:
    """Each links to the history of its record, where that has a page: the history of what is gone is for staff."""
    actor = actor_of(request)
    there: dict[type[Model], set[object]] = {}
    if not actor.is_staff:
        keys: dict[PortalAdmin, set[object]] = {}
        for kind, row in rows:
            keys.setdefault(kind.pages, set()).add(getattr(row, kind.owner_key))
        for pages, some in keys.items():
            there[pages.model] = set(pages.tenant_rows(request).filter(pk__in=some).values_list("pk", flat=True))
    told = []
    for kind, row in rows:
        key = getattr(row, kind.owner_key)
        seen = actor.is_staff or key in there[kind.pages.model]
        url = kind.pages.url_of("history", quote(key)) if seen else ""
        told.append(LoggedChange(entry_of(row, kind.model, is_part=False), str(kind.model._meta.verbose_name), url))
    return told


def _account_chooser(request: HttpRequest, kinds: dict[str, LoggedKind]) -> forms.Field | None:
    """For the portal's staff: the accounts, as any record that has one lets them be chosen."""
    having = (kind.model for kind in kinds.values() if "account" in kind.tracked.columns)
    pointer: Any = next((model._meta.get_field("account") for model in having), None)
    pages = admin.site._registry.get(pointer.related_model) if pointer else None
    if not isinstance(pages, PortalAdmin) or not actor_of(request).is_staff or not pages.has_view_permission(request):
        return None
    rows = pages.tenant_rows(request)
    return forms.ModelChoiceField(rows, required=False, label="Account", widget=AutocompleteSelect(pointer, admin.site))


def _midnight(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


def _place_in(request: HttpRequest) -> LogPlace | None:
    """From the beginning where the address was spoilt on its way."""
    try:
        return LogPlace.parse(request.GET.get("after", ""))
    except ValueError:
        return None


def _query(request: HttpRequest, **more: str) -> str:
    asked = request.GET.copy()
    asked.pop("after", None)
    for name in [name for name, value in asked.items() if not value]:
        del asked[name]
    asked.update(more)
    return asked.urlencode()
