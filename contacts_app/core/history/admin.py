"""The history of a record on a page of its own, also when the record is gone. It is for reading: a way back leads
through the same forms and services as any other change, so that no rule is passed by."""

from collections.abc import Iterator
from heapq import merge
from typing import Any, ClassVar

from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from unfold.decorators import action

from contacts_app.core.admin.frame import Framed, actor_of
from contacts_app.core.history.authorship import channel_label
from contacts_app.core.history.entries import HistoryEntry, entry_of
from contacts_app.core.history.models import tracked_models

PER_PAGE = 50


class HistoryPages(Framed):
    """For the pages of a model: the history of each record, and the records that were deleted."""

    actions_list: ClassVar[tuple[str, ...]] = ("deleted_records",)

    @property
    def is_tracked(self) -> bool:
        return self.model in tracked_models

    @property
    def asks_reason(self) -> bool:
        """Whether forms have a field for the reason, which `config.middleware` reads."""
        return self.is_tracked

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.is_tracked:
            return super().history_view(request, object_id, extra_context)
        key, row = unquote(object_id), self.get_object(request, unquote(object_id))
        rows = self._rows_of(request, key)
        if row is None and not (self._sees_deleted(request) and rows.exists()):
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        number = _page_number(request)
        entries = list(_entries(self.model, rows, key, upto=number * PER_PAGE + 1))
        shown = entries[(number - 1) * PER_PAGE :]
        name = str(row) if row is not None else f"{rows[0].history_name} (deleted)"
        return self.page(
            request,
            "contacts_app/core/record_history.html",
            f"History of {name}",
            record=row,
            entries=shown[:PER_PAGE],
            newer=number - 1,
            older=number + 1 if len(shown) > PER_PAGE else 0,
        )

    def _rows_of(self, request: HttpRequest, key: str) -> "QuerySet[Any]":
        history = tracked_models[self.model].rows_of_model()
        account = actor_of(request).account
        if account is not None and "account" in tracked_models[self.model].columns:
            # What the record was while it was somebody else's is theirs.
            history = history.filter(Q(account=account) | Q(account=None))
        try:
            return history.filter(**{self.opts.pk.attname: self.opts.pk.to_python(key)})
        except ValidationError:
            return history.none()

    def _sees_deleted(self, request: HttpRequest) -> bool:
        """Whose a record was that is gone can no more be said, so that its history is for the portal's own staff."""
        return actor_of(request).is_staff and bool(self.has_view_permission(request))

    def has_deleted_records_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return self.is_tracked and self._sees_deleted(request)

    @action(description="Deleted", icon="delete_history", permissions=["deleted_records"])
    def deleted_records(self, request: HttpRequest) -> HttpResponse:
        number = _page_number(request)
        rows = tracked_models[self.model].rows_of_model().filter(history_type="-")
        found = list(rows.select_related("history_user")[(number - 1) * PER_PAGE : number * PER_PAGE + 1])
        for row in found:
            row.url = self.url_of("history", quote(getattr(row, self.opts.pk.attname)))
            row.channel = channel_label(row.history_channel)
        return self.page(
            request,
            "contacts_app/core/deleted_records.html",
            f"Deleted {self.opts.verbose_name_plural}",
            rows=found[:PER_PAGE],
            newer=number - 1,
            older=number + 1 if len(found) > PER_PAGE else 0,
        )


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return max(1, min(int(text), 100_000)) if text.isascii() and text.isdigit() else 1


def _entries(model: type[Model], rows: "QuerySet[Model]", key: str, *, upto: int) -> Iterator[HistoryEntry]:
    """The newest rows of a record and of its parts, in one order."""
    columns = [
        (part, tracked.rows_of_model().filter(**{tracked.part_of: key}))
        for part, tracked in tracked_models.items()
        if tracked.part_of and part._meta.get_field(tracked.part_of).related_model is model
    ]
    lists = [
        [(row, source) for row in found.select_related("history_user")[:upto]]
        for source, found in [(model, rows), *columns]
    ]
    newest = merge(*lists, key=lambda one: (one[0].history_date, one[0].history_id), reverse=True)
    for _, (row, source) in zip(range(upto), newest, strict=False):
        yield entry_of(row, source, is_part=source is not model)
