"""Serializers whose fields are made once for their class, and copied for each request.

DRF makes the fields of a serializer anew wherever one is used: of a model's record of forty fields that takes two
milliseconds, several times in a request that writes. What they are is the same each time.
"""

from copy import deepcopy
from functools import cache
from typing import Any

from rest_framework import serializers

FieldOf = serializers.Field[Any, Any, Any, Any]


class MadeOnce(serializers.Serializer[Any]):
    # The OpenAPI document would take a docstring over into the descriptions of all of them.
    def get_fields(self) -> dict[str, Any]:
        return {name: _copy(field) for name, field in _fields_of(type(self)).items()}

    def get_validators(self) -> list[Any]:
        return list(_validators_of(type(self)))


@cache
def _validators_of(kind: type[MadeOnce]) -> list[Any]:
    """Those of whole records, for example of fields that are unique together. Each call is passed the serializer."""
    return super(MadeOnce, kind()).get_validators()


@cache
def _fields_of(kind: type[MadeOnce]) -> dict[str, FieldOf]:
    """What DRF makes of the declaration, bound to no serializer."""
    return super(MadeOnce, kind()).get_fields()


def _copy(field: FieldOf) -> FieldOf:
    """What has fields of its own is made anew: these know the serializer that they belong to. Others share what no
    request changes, such as their validators.
    """
    is_whole = (
        isinstance(field, serializers.BaseSerializer) or hasattr(field, "child") or hasattr(field, "child_relation")
    )
    if is_whole:
        return deepcopy(field)
    made = object.__new__(type(field))
    vars(made).update(vars(field))
    return made
