"""`If-Match`: a record is changed or deleted only if it is still as the client has read it (RFC 9110 §13.1.1).

The tag of a record is that of the record alone, so that the answer to a change has the one that reading it gives.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.http import parse_etags
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.dialect import Json
from contacts_app.core.api.view import tag_of
from contacts_app.core.api.viewset import EditableViewSet

HEADER = "HTTP_IF_MATCH"
GUARDED = ("update", "partial_update", "destroy")
# Whose answers show one record.
SHOWN_BY = ("retrieve", "create", "update", "partial_update")


class PreconditionFailed(exceptions.APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It was changed since you have read it; read it again"
    default_code = "precondition-failed"


class Guarded(EditableViewSet):
    """A resource whose records can be written under `If-Match`."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> Any:
        """From the look at its version to its change the record is locked."""
        # Which action it is will be known to the view only when it has begun.
        action = self.action_map.get((request.method or "").lower())
        if HEADER not in request.META or action not in GUARDED:
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        return response

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        if self.action in GUARDED and (sent := request.META.get(HEADER)):
            self._refuse_unless(parse_etags(sent))

    def _refuse_unless(self, tags: Sequence[str]) -> None:
        """The tags are compared strongly: a weak one says nothing about what would be overwritten."""
        row = self.get_object()
        list(type(row)._base_manager.select_for_update().filter(pk=row.pk).values_list("pk"))
        if "*" not in tags and tag_of_record(self.shown(self.get_object())) not in tags:
            raise PreconditionFailed

    def finalize_response(self, request: Request, response: Any, *args: object, **kwargs: object) -> Any:
        is_record = isinstance(response, Response) and not response.exception and self.action in SHOWN_BY
        if is_record and response.status_code in (200, 201):
            self.tag = tag_of_record(response.data)
        return super().finalize_response(request, response, *args, **kwargs)


def tag_of_record(record: object) -> str:
    return tag_of(Json().render(record))
