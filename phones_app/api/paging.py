"""`limit` and `offset` of the lists that can grow long, with the total in the answer's metadata."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from phones_app.api.fields import Shape

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
# Beyond what a database takes as an offset nothing can be.
MAX_OFFSET = 2**31 - 1

M = TypeVar("M", bound=Model)


class Paging(Shape):
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


PAGING = [OpenApiParameter(name, int) for name in ("limit", "offset")]


def page(request: Request, rows: "QuerySet[M]") -> tuple[list[M], dict[str, Any]]:
    """The asked-for rows and the metadata that says where in the whole they stand."""
    paging = Paging(data=request.query_params)
    paging.is_valid(raise_exception=True)
    limit, offset = paging.validated_data["limit"], paging.validated_data["offset"]
    metadata = {"total": rows.order_by().count(), "limit": limit, "offset": offset}
    return list(rows[offset : offset + limit]), metadata
