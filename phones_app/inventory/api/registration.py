"""`/auth/register`: an administrator adds a person, or people add themselves if allowed (phone profiles spec §1)."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.family import NoMetadata, PhoneFamilyView, answer, answers, envelope
from contacts_app.core.api.view import Manages, Text
from contacts_app.people.api.me import UserRecord
from contacts_app.people.api.users import PersonRecord
from contacts_app.people.services import create_user

# Who registers without anybody's token has no account and the lowest level: they see what is given to them by name.
THE_PUBLIC = Actor("registration", "rest", level=9)


class Registration(PersonRecord):
    """The documented members; all but five have a default."""

    username = Text(max_length=254)

    class Meta(PersonRecord.Meta):
        fields = [
            "first_name", "last_name", "username", "email", "password", "phone", "lang", "location",
            "nationality", "timezone",
        ]  # fmt: skip
        extra_kwargs = {
            name: {"required": True, "allow_blank": False} for name in ("first_name", "last_name")
        }

    account = None  # type: ignore[assignment]
    permission_level = None  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs


REGISTERED = envelope("Registered", UserRecord(), metadata=NoMetadata)


class Register(PhoneFamilyView):
    def get_permissions(self) -> list[BasePermission]:
        return [] if settings.PUBLIC_REGISTER and not self.request.user else [Manages()]

    @extend_schema(request=Registration, responses=answers(201, REGISTERED, 400, 409))
    def post(self, request: Request) -> Response:
        """Add a person to one's own account; with `PUBLIC_REGISTER` also oneself, without a token and an account."""
        record = Registration(data=request.data, context={"request": request})
        record.is_valid(raise_exception=True)
        by = self.actor or THE_PUBLIC
        user = create_user(
            actor=by, account=by.account, permission_level=max(1, by.level), **record.validated_data
        )
        return answer(UserRecord().to_representation(user), "User registered", status=201, metadata={})
