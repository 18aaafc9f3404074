"""The change log of the admin: what changed, on whichever record, for people who may see such records."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.timezone import make_aware
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.history.authorship import CHANNELS
from contacts_app.core.history.change_log import LogPlace, kind_of, read_log
from contacts_app.core.history.entries import KINDS, HistoryEntry, entry_of
from contacts_app.core.history.models import Tracked, tracked_models

ANY = ("", "Any")
# Days that have a midnight before and after them in every time zone.
NEAR = (MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31)))


@dataclass(frozen=True)
class LoggedKind:
    """A model with a history, and the pages of the records in whose history its rows are shown: they are those records,
    or parts of them.
    """

    tracked: Tracked
    pages: PortalAdmin

    @property
    def model(self) -> type[Model]:
        return cast("type[Model]", self.tracked.cls)

    @property
    def owner_key(self) -> str:
        """Where a historical row has the key of that record."""
        part_of = self.tracked.part_of
        return str(self.model._meta.get_field(part_of).attname if part_of else self.pages.opts.pk.attname)  # type: ignore[union-attr]

    def rows(self, request: HttpRequest, account: Any) -> "QuerySet[Any]":
        """All rows, or those of an account: what the row itself says, else whose the record is now."""
        rows = self.tracked.rows_of_model()
        if account is None:
            return rows
        if "account" in self.tracked.columns:
            return rows.filter(account=account)
        path = "pk" if isinstance(account, self.pages.model) else self.pages.tenant_path
        if path is None:
            return rows.none()
        theirs = self.pages.tenant_rows(request).filter(**{path: account.pk})
        return rows.filter(**{f"{self.owner_key}__in": theirs.order_by().values("pk")})


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

    def found_by_index(self) -> Q:
        given = self.cleaned_data
        found = Q()
        if (first := given.get("first_day")) is not None:
            found &= Q(history_date__gte=_midnight(first))
        if (last := given.get("last_day")) is not None:
            found &= Q(history_date__lt=_midnight(last + timedelta(days=1)))
        if person := self._person:
            found &= Q(history_user=person)
        return found

    def looked_for(self) -> Q:
        """What has to be looked for in the rows themselves."""
        given = self.cleaned_data
        found = Q()
        if (who := given.get("who")) and not self._person:
            found &= Q(history_actor__iexact=who)
        if text := given.get("text"):
            found &= Q(history_name__icontains=text)
        for name, column in (("action", "history_type"), ("channel", "history_channel")):
            if value := given.get(name):
                found &= Q(**{column: value})
        return found

    @cached_property
    def _person(self) -> int | None:
        if not (who := self.cleaned_data.get("who")):
            return None
        named = get_user_model()._default_manager.filter(Q(email=who.lower()) | Q(username=who))
        key: int | None = named.values_list("pk", flat=True).first()
        return key


def may_see_change_log(request: HttpRequest) -> bool:
    return any(True for _ in _kinds(request))


def change_log_page(request: HttpRequest) -> HttpResponse:
    """To be wrapped in the admin's `admin_view`."""
    kinds = {kind_of(kind.model): kind for kind in _kinds(request)}
    if not kinds:
        raise PermissionDenied
    form = LogForm(request, kinds)
    context = {**admin.site.each_context(request), "title": "Change log", "form": form, "media": form.media}
    if form.is_valid():
        given = form.cleaned_data
        account = actor_of(request).account or given.get("account")
        found = form.found_by_index()
        chosen = {given["kind"]: kinds[given["kind"]]} if given["kind"] else kinds
        sources = {name: kind.rows(request, account).filter(found) for name, kind in chosen.items()}
        page = read_log(sources, form.looked_for(), _place_in(request))
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


def _kinds(request: HttpRequest) -> Iterator[LoggedKind]:
    """Those whose records the person may look at."""
    for model, tracked in tracked_models.items():
        field: Any = model._meta.get_field(tracked.part_of) if tracked.part_of else None
        pages = admin.site._registry.get(field.related_model if field else model)
        if isinstance(pages, PortalAdmin) and pages.has_view_permission(request):
            yield LoggedKind(tracked, pages)


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
