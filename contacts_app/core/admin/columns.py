"""What lists show and what they can be filtered by."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from operator import attrgetter
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Count, DateTimeField, IntegerField, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateFilter
from unfold.decorators import display
from unfold.utils import parse_date_str

from contacts_app.core.history.authorship import channel_label
from contacts_app.templatetags.moments import ago


def count_of(pages: Any, request: HttpRequest, relation: str) -> Coalesce:
    """How many rows point at one of the pages' model, counted for the rows of a page only: joined they would multiply.

    Only those that the person may see: what all accounts share says nothing about the others.
    """
    pointer: Any = pages.model._meta.get_field(relation)
    # Seen from either side of a many-to-many.
    name = pointer.remote_field.name if pointer.concrete else pointer.field.name
    related = pages.admin_site._registry.get(pointer.related_model)
    narrowed = hasattr(related, "tenant_rows")
    rows = related.tenant_rows(request) if narrowed else pointer.related_model._default_manager.all()
    counted = rows.filter(**{name: OuterRef("pk")}).order_by().values(name)
    counted = counted.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def column(description: str, text: Callable[[Any], Any], **options: Any) -> Any:
    """A column, or a field that is only read, whose text is one expression; `options` are those of `display`."""

    @display(description=description, **options)
    def shown(pages: Any, row: Any) -> Any:
        return text(row)

    return shown


def count_column(relation: str, description: str) -> Any:
    """How many rows point at one over `relation`; `PortalAdmin` counts them."""
    counted = column(description, attrgetter(f"{relation}_counted"))
    counted.counts = relation
    return counted


def ago_column(field: str, description: str) -> object:
    """How long ago the moment in `field` was."""
    return column(description, lambda row: ago(getattr(row, field)) or "–", ordering=field)


# Through which channel it came, as people read it.
through_column = column("Through", lambda row: channel_label(row.channel))


def filter_of(model: type[Model], name: str) -> Any:
    """The filter by a field as its type asks for it, where Django's own would not do."""
    field: Any = get_fields_from_path(model, name)[-1]
    if field.is_relation:
        return name, TenantFilter
    if field.choices:
        return name, ChoicesCheckboxFilter
    return (name, DayRangeFilter) if isinstance(field, DateTimeField) else name


class TenantFilter(AutocompleteSelectFilter):
    """A list filter by a related row, chosen by typing, which knows only rows that the person may see."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        field: Any = self.field
        related = changelist.model_admin.admin_site.get_model_admin(field.remote_field.model)
        choice: Any
        for choice in super().choices(changelist):
            choice["form"].fields[self.lookup_kwarg].queryset = related.tenant_rows(self.request)
            yield choice


class DayRangeFilter(RangeDateFilter):
    """A list filter by whole days, the last one included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        for end, lookup, days in (("from", "gte", 0), ("to", "lt", 1)):
            day = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{end}", ""))
            if day is not None:
                midnight = make_aware(datetime.combine(day + timedelta(days=days), time.min))
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": midnight})
        return queryset
