"""`limit` and `offset` of the lists that can grow long, with the total in the answer's metadata."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from contacts_app.services.total import DEEPEST, of_keys, total_of
from phones_app.api.fields import Shape

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
# Beyond what a database takes as an offset nothing can be.
MAX_OFFSET = 2**31 - 1

TOO_DEEP = (
    f"Offsets end at {DEEPEST}. Narrow the list down by its filters; phones can also be read on with "
    "after=, the MAC address of the last one there was."
)

M = TypeVar("M", bound=Model)


class Paging(Shape):
    limit = serializers.IntegerField(default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


PAGING = [
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    ),
    OpenApiParameter("offset", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0}),
]


def page(request: Request, rows: "QuerySet[M]") -> tuple[list[M], dict[str, Any]]:
    """The asked-for rows and the metadata that says where in the whole they stand."""
    paging = Paging(data=request.query_params)
    paging.is_valid(raise_exception=True)
    limit, offset = paging.validated_data["limit"], paging.validated_data["offset"]
    total = total_of(rows)
    metadata: dict[str, Any] = {"total": total.number, "limit": limit, "offset": offset}
    if not total.is_exact:
        metadata["total_is_estimate"] = True
    if total.is_exact and offset >= total.number:
        return [], metadata
    if offset > DEEPEST:
        raise ValidationError({"offset": TOO_DEEP})
    rows = total.narrow(rows)
    if not offset and total.is_exact:
        return list(rows[:limit]), metadata
    # What is skipped, or sorted out, on the way to the page need not be joined.
    keys = list(rows.values_list("pk", flat=True)[offset : offset + limit])
    return list(of_keys(rows, keys)), metadata
