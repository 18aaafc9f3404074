"""What lists and single objects of the events integration have in common; each resource says what is its own."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from contacts_app.services.history import update_recorded
from profiles_app.api.events.dialect import EventsView
from profiles_app.api.events.query import Columns, asked_mode, list_query


class ResourceView(EventsView):
    """`record` reads and writes an object; `brief` are the members of it that `mode=brief` shows, if not all."""

    record: ClassVar[type[Serializer[Any]]]
    brief: ClassVar[Sequence[str]] = ()

    def rows(self) -> QuerySet[Any]:
        """The objects that are seen at the URL's level."""
        raise NotImplementedError

    def shown(self, row: Any) -> Any:
        body = self.record(row).data
        if self.brief and asked_mode(self.request) == "brief":
            return {name: body[name] for name in self.brief}
        return body

    def given(self, row: Any = None) -> dict[str, Any]:
        """What the body holds, checked; with a row it may leave out what is to stay."""
        record = self.record(row, data=self.body(), partial=row is not None, context={"level": self.level})
        record.is_valid(raise_exception=True)
        return dict(record.validated_data)


class CollectionView(ResourceView):
    is_list = True
    filterable: ClassVar[Columns] = {}

    def create(self, given: dict[str, Any]) -> Any:
        raise NotImplementedError

    def get(self, request: Request, **_: Any) -> Response:
        query = list_query(request, self.filterable)
        asked_mode(request)
        total, rows = query.page(self.rows(), self.filterable)
        return Response(query.envelope(total, [self.shown(row) for row in rows]))

    def post(self, request: Request, **_: Any) -> Response:
        return Response(self.shown(self.create(self.given())), status=201)


class ItemView(ResourceView):
    def row(self) -> Any:
        row = self.rows().filter(pk=self.kwargs["id"]).first()
        if row is None:
            raise NotFound
        return row

    def update(self, row: Any, given: dict[str, Any]) -> Any:
        if given and not update_recorded(self.rows().filter(pk=row.pk), **given):
            raise NotFound
        for name, value in given.items():
            setattr(row, name, value)
        return row

    def delete_row(self, row: Any) -> None:
        row.delete()

    def get(self, request: Request, **_: Any) -> Response:
        asked_mode(request)
        return Response(self.shown(self.row()))

    def patch(self, request: Request, **_: Any) -> Response:
        row = self.row()
        return Response(self.shown(self.update(row, self.given(row))))

    def delete(self, request: Request, **_: Any) -> Response:
        self.delete_row(self.row())
        return Response({"success": True})
