"""`/permissions`: the permission levels that people can have (phone profiles spec §6). They are fixed."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from phones_app.api.dialect import PhoneFamilyView, answer
from phones_app.api.fields import Shape
from phones_app.api.schema import NoMetadata, answers, envelope
from phones_app.api.user import LOWEST_LEVEL

HIGHEST = ("Administrator", "May do everything in the account; without an account, everything.")
OTHERS = ("User", "Sees and switches their own phone profiles.")


class PermissionLevel(Shape):
    level = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()


LEVELS = envelope("PermissionLevels", PermissionLevel(many=True), metadata=NoMetadata)


class PermissionList(PhoneFamilyView):
    @extend_schema(operation_id="permissions_list", responses=answers(200, LEVELS))
    def get(self, request: Request) -> Response:
        """The levels, 0 the highest."""
        named = [HIGHEST] + [OTHERS] * LOWEST_LEVEL
        levels = [
            {"level": level, "name": name, "description": description}
            for level, (name, description) in enumerate(named)
        ]
        return answer(levels, f"{len(levels)} permission(s) found", metadata={})
