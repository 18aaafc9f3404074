"""What people make their own on each list: filters under a name, and which columns they see."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.admin.frame import Framed
from contacts_app.core.lists.models import NAME_LENGTH, ListColumns, SavedFilter

MOST, LONGEST_QUERY = 50, 2000
# Of an address that says which rows in which order, what says something else.
PASSING = ("p", "all", "e", "_popup", "_to_field", "_changelist_filters")
ORDER = "o"
# The pages that know the person's columns: the list itself, and those that lead to it.
LISTING = ("changelist", "filter_open", "filter_add")


class SavedFilterForm(forms.ModelForm):  # type: ignore[type-arg]
    name = forms.CharField(max_length=NAME_LENGTH, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = SavedFilter
        fields = ("name",)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        mine = SavedFilter.objects.filter(user=self.instance.user_id, list=self.instance.list, name=name)
        if mine.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("You have a saved filter of this name on this list.")
        return name


class OwnLists(Framed):
    """For the pages of a model. `more_columns` are offered beside those that the list shows by itself."""

    list_before_template = "contacts_app/core/own_list.html"
    more_columns: tuple[str, ...] = ()
    pages: ClassVar[dict[str, str]] = {
        "columns": "columns/",
        "filter_add": "filters/add/",
        "filter_open": "filters/<int:pk>/",
        "filter_edit": "filters/<int:pk>/edit/",
    }

    def get_list_display(self, request: HttpRequest) -> Any:
        """The person's own choice on the list itself; whatever else asks for a row gets what the list shows to all."""
        shown = tuple(super().get_list_display(request))
        match = request.resolver_match
        if match is None or match.url_name not in {f"{self.base_name}_{page}" for page in LISTING}:
            return shown
        own = self._own_columns(request)
        fixed = self._fixed_columns(shown)
        offered = (*shown, *(name for name in self.more_columns if name not in shown))
        return [name for name in offered if name in fixed or own.get(str(name), name in shown)]

    def _fixed_columns(self, shown: Sequence[Any]) -> set[Any]:
        """What leads to the row, and what has no name to choose it by."""
        return {shown[0], *(self.list_display_links or ()), *(name for name in shown if not isinstance(name, str))}

    def _all_columns(self, request: HttpRequest) -> list[str]:
        """As the address of the list counts them: with the boxes by which rows are chosen, where there are any."""
        boxes = ["action_checkbox"] if self.get_actions(request) else []
        return [*boxes, *map(str, self.get_list_display(request))]

    def _own_columns(self, request: HttpRequest) -> dict[str, bool]:
        """Asked of the database once for each request."""
        known: dict[str, dict[str, bool]] = request.__dict__.setdefault("own_columns", {})
        if self.opts.label_lower not in known:
            rows = ListColumns.objects.filter(user=request.user.pk, list=self.opts.label_lower)
            known[self.opts.label_lower] = rows.values_list("shown", flat=True).first() or {}
        return known[self.opts.label_lower]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        if isinstance(answer, TemplateResponse) and answer.context_data and "cl" in answer.context_data:
            rows = SavedFilter.objects.filter(user=request.user.pk, list=self.opts.label_lower)
            present = self._named(request.GET, answer.context_data["cl"].list_display)
            filters = list(rows)
            answer.context_data |= {
                "saved_filters": [
                    {
                        "filter": one,
                        "open": self.url_of("filter_open", one.pk),
                        "edit": self.url_of("filter_edit", one.pk),
                        "is_present": one.query == present,
                    }
                    for one in filters
                ],
                "present_filter": present if present not in {one.query for one in filters} else "",
                "longest_name": NAME_LENGTH,
                "filter_add_url": self.url_of("filter_add"),
                "columns_url": self.url_of("columns"),
            }
        return answer

    def _named(self, asked: QueryDict, columns: Sequence[Any]) -> str:
        """The address of a list without what passes; columns that it is ordered by are named instead of counted."""
        kept = QueryDict(mutable=True)
        for name in sorted(asked):
            if name not in PASSING and name != ORDER:
                kept.setlist(name, [value for value in asked.getlist(name) if value])
        order = []
        for term in asked.get(ORDER, "").split("."):
            number = term.removeprefix("-")
            if number.isascii() and number.isdecimal() and int(number) < len(columns):
                order.append(f"{'-' if term.startswith('-') else ''}{columns[int(number)]}")
        if order:
            kept[ORDER] = ".".join(order)
        return kept.urlencode()

    def _counted(self, query: str, columns: Sequence[Any]) -> tuple[QueryDict, list[str]]:
        """The same the other way round, and the columns that the person does not see any more."""
        asked, order, missing = QueryDict(query, mutable=True), [], []
        names = [str(name) for name in columns]
        for term in filter(None, asked.pop(ORDER, [""])[-1].split(".")):
            name = term.removeprefix("-")
            if name in names:
                order.append(f"{'-' if term.startswith('-') else ''}{names.index(name)}")
            else:
                missing.append(name)
        if order:
            asked[ORDER] = ".".join(order)
        return asked, missing

    def _fits(self, request: HttpRequest, asked: QueryDict) -> bool:
        """Whether the list understands it."""
        before = request.GET
        request.GET = asked  # type: ignore[assignment]
        try:
            self.get_changelist_instance(request)
        except (IncorrectLookupParameters, SuspiciousOperation, ValidationError, ValueError):
            return False
        finally:
            request.GET = before
        return True

    def filter_add_page(self, request: HttpRequest) -> HttpResponse:
        self._require_view(request)
        back, columns = self.url_of("changelist"), self._all_columns(request)
        query = request.POST.get("query", "").replace("\0", "")
        if request.method != "POST" or not query:
            return HttpResponseRedirect(back)
        asked, _ = self._counted(query, columns)
        own = SavedFilter(user=self._person(request), list=self.opts.label_lower, query=self._named(asked, columns))
        form = SavedFilterForm(request.POST, instance=own)
        mine = SavedFilter.objects.filter(user=request.user.pk, list=own.list)
        if len(own.query) > LONGEST_QUERY or not self._fits(request, asked):
            messages.error(request, "This filter cannot be saved: the list does not understand it.")
            return HttpResponseRedirect(back)
        if mine.count() >= MOST:
            messages.error(request, f"You have {MOST} saved filters on this list. Delete one first.")
        elif not form.is_valid():
            messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        else:
            # A second click comes before the first one is answered.
            with suppress(IntegrityError), transaction.atomic():
                form.save()
            messages.success(request, f"The filter “{own}” is saved.")
        return HttpResponseRedirect(f"{back}?{asked.urlencode()}")

    def filter_open_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The list as it was saved, with the columns that it has today."""
        self._require_view(request)
        own = self._own_filter(request, pk)
        asked, missing = self._counted(own.query, self._all_columns(request))
        fits = self._fits(request, asked)
        if fits != own.fits:
            SavedFilter.objects.filter(pk=own.pk).update(fits=fits)
        if not fits:
            messages.error(request, f"The saved filter “{own}” does not fit this list any more.")
            return HttpResponseRedirect(self.url_of("changelist"))
        if missing:
            messages.warning(request, f"“{own}” is ordered by a column that is not shown: {', '.join(missing)}.")
        return HttpResponseRedirect(f"{self.url_of('changelist')}?{asked.urlencode()}")

    def filter_edit_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._require_view(request)
        own, back = self._own_filter(request, pk), self.url_of("changelist")
        name = own.name
        form = SavedFilterForm(request.POST if request.method == "POST" else None, instance=own)
        if request.method == "POST" and "delete" in request.POST:
            own.delete()
            messages.success(request, f"The saved filter “{name}” is deleted.")
            return HttpResponseRedirect(back)
        if form.is_valid():
            form.save()
            return HttpResponseRedirect(back)
        return self.page(
            request, "contacts_app/core/saved_filter.html", f"Saved filter “{name}”", form=form, back=back, own=own
        )

    def columns_page(self, request: HttpRequest) -> HttpResponse:
        self._require_view(request)
        shown, back = tuple(super().get_list_display(request)), self.url_of("changelist")
        offered = [name for name in (*shown, *self.more_columns) if isinstance(name, str)]
        fixed, own, label = self._fixed_columns(shown), self._own_columns(request), self.opts.label_lower
        if request.method == "POST":
            chosen = set(request.POST.getlist("columns"))
            wanted = {name: name in chosen for name in offered if name not in fixed}
            told = {} if "reset" in request.POST else {n: yes for n, yes in wanted.items() if yes != (n in shown)}
            if told:
                chosen_by = {"user": self._person(request), "list": label}
                ListColumns.objects.update_or_create(**chosen_by, defaults={"shown": told})
            else:
                ListColumns.objects.filter(user=request.user.pk, list=label).delete()
            return HttpResponseRedirect(back)
        columns = [
            {
                "name": name,
                "label": label_for_field(name, self.model, cast("Any", self)),
                "is_shown": name in fixed or own.get(name, name in shown),
                "is_fixed": name in fixed,
            }
            for name in offered
        ]
        title = f"Columns of the list of {self.opts.verbose_name_plural}"
        return self.page(request, "contacts_app/core/columns.html", title, columns=columns, back=back)

    def _person(self, request: HttpRequest) -> Any:
        return request.user

    def _own_filter(self, request: HttpRequest, pk: int) -> SavedFilter:
        return get_object_or_404(SavedFilter, pk=pk, user=request.user.pk, list=self.opts.label_lower)

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
