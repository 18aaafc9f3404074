"""Lists that stay quick when there is much to list: counted cheaply, ordered by indexes only, read a page at a time."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Index, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.text import smart_split, unescape_string_literal
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from contacts_app.core.lists.search import NOTHING, SHORTEST_PART, any_match
from contacts_app.core.lists.total import DEEPEST, Total, of_keys, total_of


def index_orders(model: type[Model]) -> dict[str, list[str]]:
    """By which columns rows can be ordered from an index, and what else each of these indexes orders them by."""
    orders: dict[str, list[str]] = {}
    fields: dict[str, Any] = {field.name: field for field in model._meta.concrete_fields}
    for field in fields.values():
        if field.unique or field.db_index:
            orders[field.name] = [field.name] if field.unique and not field.null else [field.name, "-pk"]
    for constraint in model._meta.total_unique_constraints:
        orders[constraint.fields[0]] = [fields[name].attname for name in constraint.fields]
    for index in model._meta.indexes:
        if type(index) is Index and index.fields and index.condition is None:
            terms = [(fields[name].attname, "-" if order else "") for name, order in index.fields_orders]
            orders[index.fields_orders[0][0]] = [sign + column for column, sign in terms]
    return {name: order for name, order in orders.items() if not fields[name].is_relation}


def _reversed(order: list[str]) -> list[str]:
    return [term[1:] if term.startswith("-") else f"-{term}" for term in order]


class ListPaginator(Paginator):  # type: ignore[type-arg]
    """Knows the total only roughly when it is large, and has pages for the first `DEEPEST` rows."""

    template_name = "contacts_app/core/list_total.html"

    @cached_property
    def total(self) -> Total:
        return total_of(self.object_list)  # type: ignore[arg-type]

    @cached_property
    def count(self) -> int:
        return min(self.total.number, DEEPEST)

    def page(self, number: Any) -> Any:
        self.object_list = self.total.narrow(self.object_list)  # type: ignore[arg-type]
        return super().page(number)


class BigList(ChangeList):
    """A list whose rows are found first and read then: what is skipped on the way to a page is not joined."""

    result_list: Any

    def _get_deterministic_ordering(self, ordering: Any) -> Any:
        """The one place that knows the order asked for: it becomes that of an index, or the list's own."""
        if "o" not in self.params:
            return super()._get_deterministic_ordering(ordering)
        orders = index_orders(self.model)
        asked = [term for term in ordering if isinstance(term, str) and term.lstrip("-") in orders]
        if not asked:
            return super()._get_deterministic_ordering(self._get_default_ordering())
        order = orders[asked[0].lstrip("-")]
        return order if order[0].startswith("-") == asked[0].startswith("-") else _reversed(order)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count
        if not self.multi_page:
            self.result_list = self.paginator.total.narrow(self.result_list)
        keys = list(self.result_list.values_list("pk", flat=True))
        rows = {row.pk: row for row in of_keys(self.queryset.order_by(), keys)} if keys else {}
        self.result_list = [rows[key] for key in keys if key in rows]


class BigListAdmin(ModelAdmin):
    """A page about a model that may have a million rows."""

    paginator = ListPaginator
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return BigList

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """The columns that an index can order."""
        orders, columns = index_orders(self.model), self.get_list_display(request)
        order_of = {name: getattr(getattr(self, str(name), None), "admin_order_field", name) for name in columns}
        return [name for name in columns if order_of[name] in orders]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Rows in which every word is found somewhere, or the term as one."""
        words = [
            unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] else word
            for word in smart_split(search_term)
        ]
        if not words:
            return queryset, False
        anywhere, found = any(len(word) >= SHORTEST_PART for word in words), Q()
        for word in words:
            found &= self.word_match(request, word, anywhere)
        return queryset.filter(found | self.term_match(search_term)), False

    def word_match(self, request: HttpRequest, word: str, anywhere: bool) -> Q:
        return any_match(self.model, self.get_search_fields(request), word, anywhere=anywhere)

    def term_match(self, term: str) -> Q:
        """What the whole term can be, if it is more than its words."""
        return NOTHING
