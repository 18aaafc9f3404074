"""The base of the resources of the events integration: each declares its rows, records, columns and services.

Reading the body, `mode`, filters, paging, the envelope, errors and the OpenAPI answers are said here and in what this
names, once (events spec §4).
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.view import find
from contacts_app.core.api.viewset import EditableViewSet, Listed
from contacts_app.core.history.records import create_recorded, update_recorded
from profiles_app.events.api.dialect import EventsView
from profiles_app.events.api.query import EventPage, FilterColumn, GrammarFilter, ListQuery, asked_mode, list_query
from profiles_app.events.api.schema import ResourceSchema
from profiles_app.events.models.setup import Listener


class CollectionViewSet(EventsView, Listed):
    """A list to which objects are added.

    `brief`: the members that `mode=brief` shows, if not all. `columns`: what the list can be filtered by.
    `note` and `item_note` describe the list and its objects in the OpenAPI document, `examples` are answers.
    """

    schema = ResourceSchema()
    filter_backends = [GrammarFilter]
    pagination_class = EventPage
    brief: ClassVar[Sequence[str]] = ()
    columns: Mapping[str, FilterColumn] = {}
    note: ClassVar[str] = ""
    item_note: ClassVar[str] = ""
    examples: ClassVar[Sequence[OpenApiExample]] = ()

    def get_queryset(self) -> QuerySet[Any]:
        return self.level.rows(self.queryset.all())

    def seen_by(self) -> Any:
        """Staff name the account and the extension; these may be other rows under the same numbers next time."""
        return self.level.account.pk, self.level.extension and self.level.extension.pk

    def get_serializer_context(self) -> dict[str, Any]:
        shown = self.brief if asked_mode(self.request) == "brief" else ()
        return {**super().get_serializer_context(), "level": self.level, "shown": shown}

    @cached_property
    def query(self) -> ListQuery:
        return list_query(self.request, self.columns)

    def made(self, given: Mapping[str, Any]) -> Any:
        """The new row, stored."""
        raise NotImplementedError

    def create(self, request: Request, **_: Any) -> Response:
        return Response(self.shown(self.made(self.sent())), status=201)


class ResourceViewSet(CollectionViewSet, EditableViewSet):
    """A list and its single objects, named by their ids."""

    lookup_url_kwarg = "id"
    lookup_value_converter = "int"

    def named(self) -> dict[str, Any]:
        return {"pk": self.kwargs["id"]}

    def save(self, row: Any, sent: dict[str, Any]) -> None:
        """Change a row by itself, with its history."""
        if sent and not update_recorded(type(row).objects.filter(pk=row.pk), **sent):
            raise NotFound
        for name, value in sent.items():
            setattr(row, name, value)

    def destroy(self, request: Request, **named: str) -> Response:
        super().destroy(request, **named)
        return Response({"success": True})


class CreateAtIdViewSet(ResourceViewSet):
    """Creating where the guide's slip of the pen puts it: `POST /profiles/PROFILE_ID` (events spec §2.1).

    Clients written from that page send some id, or the very words, and the server gives the new object its own id.
    """

    rights: ClassVar[Mapping[str, str | Sequence[str]]] = {"create_at_id": "add"}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "id" in kwargs and not (request.method == "POST" and settings.EVENTS_ID_ON_CREATE):
            if isinstance(kwargs["id"], str):
                raise Http404
            self.http_method_names = [name for name in self.http_method_names if name != "post"]
        return super().dispatch(request, *args, **kwargs)

    # The OpenAPI document tells the truth: what is at this URL is the object.
    @extend_schema(exclude=True)
    def create_at_id(self, request: Request, **_: Any) -> Response:
        return self.create(request)


class PartOfListenerViewSet(ResourceViewSet):
    """Subscriptions and filters: the listener stands in the URL."""

    listener: Listener

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.listener = find(self.level.rows(Listener.objects.all()), "Listener", pk=kwargs["listener_id"])

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.queryset.filter(listener=self.listener)
        return rows

    def made(self, given: Mapping[str, Any]) -> Any:
        [row] = create_recorded([self.queryset.model(listener=self.listener, **given)])
        return row
