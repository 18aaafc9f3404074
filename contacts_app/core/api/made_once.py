"""Serializers whose fields are made once for their class, and copied for each request as far as it asks for them.

DRF makes the fields of a serializer anew wherever one is used: of a model's record of forty fields that takes two
milliseconds, several times in a request that writes. What they are is the same each time.
"""

from copy import deepcopy
from functools import cache, cached_property
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.serializer_helpers import BindingDict

FieldOf = serializers.Field[Any, Any, Any, Any]


class MadeOnce(serializers.Serializer[Any]):
    # The OpenAPI document would take a docstring over into the descriptions of all of them.
    def get_fields(self) -> dict[str, Any]:
        return {name: _copy(field) for name, field in _fields_of(type(self)).items()}

    def get_validators(self) -> list[Any]:
        return list(_validators_of(type(self)))

    @cached_property
    def fields(self) -> Any:
        # Of a class that adds fields of its own all are there from the beginning.
        return Copies(self) if type(self).get_fields is MadeOnce.get_fields else super().fields

    @property
    def _writable_fields(self) -> list[FieldOf]:
        if not isinstance(self.fields, Copies):
            return [field for field in self.fields.values() if not field.read_only]
        names = _writable(type(self))
        sent = getattr(self, "initial_data", None)
        # A partial change leaves the fields that it does not name alone.
        if self.partial and self.parent is None and type(sent) is dict:
            names = [name for name in names if name in sent]
        return [self.fields[name] for name in names]

    def _read_only_defaults(self) -> dict[str, Any]:
        if isinstance(self.fields, Copies) and not _has_read_only_defaults(type(self)):
            return {}
        found: dict[str, Any] = super()._read_only_defaults()
        return found


class Copies(BindingDict):
    """Those of a serializer, each copied when it is asked for: a request that writes names few of them."""

    def __init__(self, serializer: MadeOnce) -> None:
        super().__init__(serializer)
        self._models = _fields_of(type(serializer))
        # None until they are asked for.
        self.fields: dict[str, Any] = dict.fromkeys(self._models)

    def __getitem__(self, name: str) -> FieldOf:
        if self.fields[name] is None:
            self[name] = _copy(self._models[name])
        field: FieldOf = self.fields[name]
        return field


@cache
def _writable(kind: type[MadeOnce]) -> list[str]:
    return [name for name, field in _fields_of(kind).items() if not field.read_only]


@cache
def _has_read_only_defaults(kind: type[MadeOnce]) -> bool:
    return any(field.read_only and field.default is not empty for field in _fields_of(kind).values())


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
