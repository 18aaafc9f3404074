"""Fields, bodies and list filters of /api/v1: how values of a kind are read, written and described, in one place each."""

from typing import Any

import django_filters
from django import forms
from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from contacts_app.core.api.made_once import MadeOnce
from contacts_app.core.api.view import Instant, LongText, Text

TRUTH = {"true": True, "1": True, "false": False, "0": False}


class EmptyIsNull:
    """For a field whose missing value is null in answers: the empty string asks for the same."""

    def run_validation(self, data: object = empty) -> Any:
        return super().run_validation(None if data == "" else data)  # type: ignore[misc]


class IpAddress(EmptyIsNull, serializers.IPAddressField):
    """An address or null."""


class RowUuid(serializers.UUIDField):
    """The UUID of a row that another row points to, or null."""

    shows = "uuid"

    def to_representation(self, value: Any) -> str:
        return str(value.uuid)


class Shape(MadeOnce):
    """A body that is not simply a row."""


class ModelRecord(MadeOnce, serializers.ModelSerializer[Any]):
    """A model's row with the fields above."""

    # For the OpenAPI document: an answer has all members, also those that a request may leave out.
    is_shown_whole = True
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: Text,
        models.TextField: LongText,
        models.DateTimeField: Instant,
        models.GenericIPAddressField: IpAddress,
    }


def described(filter_: django_filters.Filter, label: str | None, **schema: object) -> None:
    """Say in the OpenAPI document what a filter takes; left alone, its values would be listed in the description too."""
    extend_schema_field(schema | ({"description": label} if label else {}))(filter_)


class TruthFilter(django_filters.Filter):  # type: ignore[misc]
    """`true` or `false`, and nothing that is quietly neither."""

    field_class = forms.TypedChoiceField

    def __init__(self, field_name: str | None = None, *, label: str | None = None, **kwargs: Any) -> None:
        choices = [(word, word) for word in TRUTH]
        super().__init__(field_name, label=label, choices=choices, coerce=TRUTH.__getitem__, empty_value=None, **kwargs)
        described(self, label, type="boolean")


class OneOf(django_filters.ChoiceFilter):  # type: ignore[misc]
    """One of the values of a model's field."""

    def __init__(self, choices: type[models.Choices], **kwargs: Any) -> None:
        super().__init__(choices=choices.choices, **kwargs)
        described(self, None, type="string", enum=choices.values)
