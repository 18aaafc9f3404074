"""A REST resource of any wire dialect: a DRF viewset that a router puts at the URLs of the dialect's document.

A dialect's own base viewset says its envelope, errors and credentials once; a resource then declares its rows, its
record, what a body may hold, and the service that stores it.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from typing import Any, ClassVar
from uuid import uuid4

import django_filters
from django import forms
from django.http import StreamingHttpResponse
from django.urls import path
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import Route, SimpleRouter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from contacts_app.core.api.document import DocumentSchema
from contacts_app.core.api.members import refuse_unknown
from contacts_app.core.api.reading import reading_of
from contacts_app.core.api.rights import refuse_deletion
from contacts_app.core.api.rows import ROWS, Rows, watched
from contacts_app.core.api.view import DialectView, uuid_in_url

Reader = serializers.Field[Any, Any, Any, Any]
# So many rows of a list are in memory at once.
LONGEST = 1000
# What of a query string varies from page to page of the same list.
PAGING = frozenset({"limit", "offset"})


class QueryField(forms.Field):
    """A query parameter that is read as a field of a serializer reads it; only an absent one is none."""

    def __init__(self, *, reader: Reader, **kwargs: Any) -> None:
        self.reader = reader
        super().__init__(**kwargs)

    def clean(self, value: object) -> Any:
        try:
            return None if value is None else self.reader.run_validation(value)
        except ValidationError as error:
            raise forms.ValidationError([str(text) for text in error.detail]) from None


class QueryFilter(django_filters.Filter):  # type: ignore[misc]
    """A list filter whose value a field of a serializer reads, and describes in the OpenAPI document."""

    field_class = QueryField

    def __init__(self, column: str, lookup: str, reader: Reader) -> None:
        super().__init__(column, lookup, reader=reader)
        extend_schema_field(reader)(self)


class DialectSchema(DocumentSchema):
    """Describes an action by what its viewset declares; a dialect's own adds descriptions and answers."""

    def get_request_serializer(self) -> Any:
        return self.view.body_class or super().get_request_serializer()


class DialectViewSet(DialectView, GenericViewSet[Any]):
    """`queryset` comes with the relations that `serializer_class`, the record of a row, shows.

    `body_class`: what a request may hold, where that is not the record. `thing`: what errors call a row.
    """

    queryset: Any = None
    body_class: ClassVar[type[BaseSerializer[Any]] | None] = None
    thing: ClassVar[str] = "Object"
    lookup_field = "uuid"

    def get_queryset(self) -> Any:
        """The rows of the actor's tenant; those of other tenants do not exist here."""
        return self.actor.sees(super().get_queryset())

    def named(self) -> dict[str, object]:
        """What the URL says of the row that it names. Raises ValidationError or NotFound for what can be no name."""
        return {"uuid": uuid_in_url(self.kwargs[self.lookup_url_kwarg or self.lookup_field], self.lookup_field)}

    def absent(self) -> NotFound:
        return NotFound(f"{self.thing} not found")

    def get_object(self) -> Any:
        """The row that the URL names, to be changed; what shows it reads its record alone."""
        named = self.named()
        row = self.remembered("row", self.get_queryset, is_shown=False).one(**named)
        if row is None:
            raise self.absent()
        return row

    def seen_by(self) -> Hashable:
        """Whom an answer is for: those who are alike in this see the same. None: it depends on more, as on the time."""
        return self.actor.scope

    def rows(self) -> Rows:
        """The rows of a list, or those that the URL names one of; remembered where nothing but the page varies."""
        lookup = self.lookup_url_kwarg or self.lookup_field
        if lookup in self.kwargs:
            return self.remembered("", self.get_queryset)
        return self.remembered("", lambda: self.filter_queryset(self.get_queryset()))

    def remembered(self, purpose: str, make: Callable[[], Any], *, is_shown: bool = True) -> Rows:
        """The rows that `make()` says for this action and these callers: their records or, not `is_shown`, the rows."""
        lookup = self.lookup_url_kwarg or self.lookup_field
        kwargs = tuple(pair for pair in self.kwargs.items() if pair[0] != lookup)
        seen_by = self.seen_by()
        is_usual = seen_by is not None and PAGING.issuperset(self.request.query_params)
        key = (type(self), self.action, purpose, seen_by, kwargs)
        if is_usual and (found := ROWS.get(key)):
            return found
        with watched() as asked:
            rows = make()
        serializer: Any = self.get_serializer_class() if is_shown else None
        reading = reading_of(serializer, rows.model) if is_shown else None
        found = Rows(rows, reading, is_prepared=is_usual)
        return ROWS.put(key, found) if is_usual and not asked else found

    def records(self, rows: Rows, found: Sequence[Any]) -> list[dict[str, object]]:
        """What the answer shows of a page of the rows."""
        return rows.records(found, self.get_serializer_class(), self.get_serializer_context())

    def sent(self, row: Any = None, body: type[BaseSerializer[Any]] | None = None) -> dict[str, Any]:
        """The checked body of the request, for a `row` that it fills or, if it is stored already, changes in part."""
        chosen = body or self.body_class or self.get_serializer_class()
        is_stored = row is not None and not row._state.adding
        serializer = chosen(row, data=self.request.data, partial=is_stored, context=self.get_serializer_context())
        # A record that was read may be sent back.
        shows = self.serializer_class is not None and (body is None or self.request.method in ("PUT", "PATCH"))
        record: Any = self.get_serializer_class() if shows else None
        refuse_unknown(serializer, self.request.data, record=record() if shows and record is not chosen else None)
        if is_stored:
            self.refuse_nothing(serializer)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def refuse_nothing(self, serializer: Any) -> None:
        """Where the dialect refuses a change of a row that changes nothing. Raises ValidationError."""

    def shown(self, row: Any) -> Any:
        """The record of a row as it is stored, which is that of reading it."""
        rows = self.remembered("shown", self.get_queryset)
        found = None if rows.reading is None else rows.one(pk=row.pk)
        return self.get_serializer(row).data if found is None else self.records(rows, [found])[0]

    def envelope(self, content: Any) -> Any:
        """What the dialect puts around the content of a successful answer."""
        return content

    def finalize_response(self, request: Request, response: Any, *args: object, **kwargs: object) -> Any:
        if isinstance(response, Response) and not response.exception and response.status_code != 204:
            response.data = self.envelope(response.data)
        return super().finalize_response(request, response, *args, **kwargs)


class Listed(DialectViewSet):
    """Rows that can be listed, page by page where the dialect has pages."""

    def list(self, request: Request, **named: Any) -> Any:
        rows = self.rows()
        if self.paginator is None:
            return self.whole(rows)
        page = self.paginator.page_of(rows, request, self)  # type: ignore[attr-defined]
        return self.get_paginated_response(self.records(rows, page))

    def whole(self, rows: Rows) -> Any:
        """All of a list without pages. One that is longer than a page of others is sent as it is read, without a tag."""
        first = rows.page(LONGEST + 1)
        if len(first) <= LONGEST:
            return Response(self.records(rows, first))
        place = uuid4().hex
        renderer: Any = self.get_renderers()[0]
        head, tail = renderer.render(self.envelope(place)).split(f'"{place}"'.encode())
        kind = f"{renderer.media_type}; charset={renderer.charset}" if renderer.charset else renderer.media_type
        return StreamingHttpResponse(self._streamed(rows, renderer, head, tail), content_type=kind)

    def _streamed(self, rows: Rows, renderer: Any, head: bytes, tail: bytes) -> Iterator[bytes]:
        """The rows that there were at the beginning, but for those that are deleted meanwhile."""
        before = head + b"["
        for page in rows.pages(LONGEST):
            for record in self.records(rows, page):
                yield before + renderer.render(record)
                before = b","
        yield (b"" if before == b"," else before) + b"]" + tail


class Retrieved(DialectViewSet):
    """Rows that can be read one by one."""

    def retrieve(self, request: Request, **named: object) -> Response:
        rows = self.rows()
        found = rows.one(**self.named())
        if found is None:
            raise self.absent()
        return Response(self.records(rows, [found])[0])


class EditableViewSet(Listed, Retrieved):
    """A resource whose rows are listed, shown, created, changed and deleted, by the services of `store` and `remove`."""

    def store(self, row: Any, changed: Collection[str] | None) -> None:
        """Store a row; of one that exists, the `changed` columns."""
        raise NotImplementedError

    def remove(self, row: Any) -> None:
        row.delete()

    def new(self) -> Any:
        """The row that a body is to fill."""
        return self.queryset.model()

    def save(self, row: Any, sent: dict[str, Any]) -> None:
        is_new = row._state.adding
        for name, value in sent.items():
            setattr(row, name, value)
        self.store(row, None if is_new else set(sent))

    def create(self, request: Request) -> Response:
        row = self.new()
        self.save(row, self.sent(row))
        return Response(self.shown(row), status=201)

    def partial_update(self, request: Request, **named: str) -> Response:
        row = self.get_object()
        self.save(row, self.sent(row))
        return Response(self.shown(row))

    def removed(self) -> Any:
        """The row that the URL names, which is deleted with everything that goes along with it."""
        row = self.get_object()
        refuse_deletion(self.actor, row)
        return row

    def destroy(self, request: Request, **named: str) -> Response:
        self.remove(self.removed())
        return Response(status=204)


class DialectRouter(SimpleRouter):
    """Routes without patterns of their own: which texts name a row is for the viewset to say, in its dialect.

    Lists may also be written to. `both_ends`: a URL is the same with and without a slash at its end, and the OpenAPI
    document shows the form of the dialect's document alone. A redirect would lose the body of a request.
    """

    routes = [
        Route(
            url="{prefix}{trailing_slash}",
            mapping={
                "get": "list",
                "post": "create",
                "put": "update_list",
                "patch": "update_named",
                "delete": "destroy_named",
            },
            name="{basename}-list",
            detail=False,
            initkwargs={},
        ),
        *SimpleRouter.routes[1:],
    ]

    def __init__(self, *, trailing_slash: bool = False, both_ends: bool = False) -> None:
        self.both_ends = both_ends
        super().__init__(trailing_slash, use_regex_path=False)

    def get_default_basename(self, viewset: Any) -> str:
        return str(viewset.__name__)

    def get_urls(self) -> list[Any]:
        urls = super().get_urls()
        return urls + [_other_end(url) for url in urls] if self.both_ends else urls


def _other_end(url: Any) -> Any:
    route, view = str(url.pattern), url.callback
    other = route.removesuffix("/") if route.endswith("/") else f"{route}/"
    return path(other, view.cls.as_view(view.actions, **view.initkwargs | {"schema": None}))
