"""`/presetValues`: what profiles can grant in this installation. Not in the provider's document."""

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from profiles_app.api.myaccount.dialect import MyAccountView, answers
from profiles_app.api.myaccount.profile import TAG
from profiles_app.services.preset import LISTS, preset_values

PRESETS = inline_serializer(
    "PresetValues",
    {name: serializers.ListField(child=serializers.CharField()) for name in ("availability", *LISTS)},
)


class PresetValues(MyAccountView):
    @extend_schema(operation_id="preset_values_read", tags=[TAG], responses=answers(200, PRESETS))
    def get(self, request: Request) -> Response:
        """The allowed values of every preset member of a profile, by the member's name."""
        return Response(preset_values())
