"""The base of the resources of the events integration: each declares its rows, records, columns and services.

Reading the body, `mode`, filters, paging, the envelope, errors and the OpenAPI answers are said here and in what this
names, once (events spec §4).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import mixins
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from contacts_app.core.history.records import create_recorded, update_recorded
from profiles_app.events.api.dialect import EventsView
from profiles_app.events.api.query import Column, GrammarFilter, ListQuery, Page, asked_mode, list_query
from profiles_app.events.api.schema import ResourceSchema
from profiles_app.events.callback import Level
from profiles_app.events.models.setup import Listener


def create_part(*, model: type[Model], listener: Listener, given: Mapping[str, Any]) -> Any:
    """A new row below a listener, with its history."""
    [row] = create_recorded([model(listener=listener, **given)])
    return row


def update_row(row: Any, *, level: Level, given: Mapping[str, Any]) -> Any:
    """Change a row by itself, with its history."""
    if given and not update_recorded(type(row).objects.filter(pk=row.pk), **given):
        raise NotFound
    for name, value in given.items():
        setattr(row, name, value)
    return row


def delete_row(row: Any) -> None:
    row.delete()


class Services(NamedTuple):
    """What writes the rows of a resource, where the row alone is not all there is to write."""

    create: Callable[..., Any]
    update: Callable[..., Any] = update_row
    delete: Callable[..., None] = delete_row


class CollectionViewSet(EventsView, mixins.ListModelMixin, mixins.CreateModelMixin, GenericViewSet[Any]):
    """A list to which objects are added.

    `brief`: the members that `mode=brief` shows, if not all. `columns`: what the list can be filtered by.
    `note` and `item_note` describe the list and its objects in the OpenAPI document, `examples` are answers.
    """

    schema = ResourceSchema()
    filter_backends = [GrammarFilter]
    pagination_class = Page
    # Where an object is created from something else than it is answered with.
    create_serializer_class: ClassVar[type[BaseSerializer[Any]] | None] = None
    services: ClassVar[Services]
    brief: ClassVar[Sequence[str]] = ()
    columns: Mapping[str, Column] = {}
    note: ClassVar[str] = ""
    item_note: ClassVar[str] = ""
    examples: ClassVar[Sequence[OpenApiExample]] = ()

    def get_queryset(self) -> QuerySet[Any]:
        return self.level.rows(super().get_queryset())

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        created_with = self.create_serializer_class if self.action == "create" else None
        return created_with or super().get_serializer_class()

    def get_serializer_context(self) -> dict[str, Any]:
        shown = self.brief if asked_mode(self.request) == "brief" else ()
        return {**super().get_serializer_context(), "level": self.level, "shown": shown}

    @cached_property
    def query(self) -> ListQuery:
        return list_query(self.request, self.columns)

    def place(self) -> dict[str, Any]:
        """Where a new row belongs, as the service that creates it has it."""
        return {"level": self.level}

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = self.services.create(**self.place(), given=serializer.validated_data)


class ResourceViewSet(mixins.RetrieveModelMixin, mixins.UpdateModelMixin, CollectionViewSet):
    """A list and its single objects, named by their ids."""

    lookup_url_kwarg = "id"
    lookup_value_converter = "int"

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = self.services.update(
            serializer.instance, level=self.level, given=serializer.validated_data
        )

    def destroy(self, request: Request, **_: Any) -> Response:
        self.services.delete(self.get_object())
        return Response({"success": True})


class CreateAtIdViewSet(ResourceViewSet):
    """Creating where the guide's slip of the pen puts it: `POST /profiles/PROFILE_ID` (events spec §2.1).

    Clients written from that page send some id, or the very words, and the server gives the new object its own id.
    """

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

    services = Services(create_part)
    listener: Listener

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        listener = self.level.rows(Listener.objects.filter(pk=kwargs["listener_id"])).first()
        if listener is None:
            raise NotFound
        self.listener = listener

    def get_queryset(self) -> QuerySet[Any]:
        return GenericViewSet.get_queryset(self).filter(listener=self.listener)

    def place(self) -> dict[str, Any]:
        return {"model": self.get_queryset().model, "listener": self.listener}
