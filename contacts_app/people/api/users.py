"""`/users`: the people of an account (phone profiles spec §1, §6).

`/permissions`: the permission levels that people can have (phone profiles spec §6). They are fixed.
"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.api.family import (
    PAGING,
    NoMetadata,
    PageMetadata,
    PhoneFamilyView,
    answer,
    answers,
    check_has_known_field,
    envelope,
    page,
)
from contacts_app.core.api.view import Text, find, uuid_in_url
from contacts_app.people.api.me import UserRecord
from contacts_app.people.models import User
from contacts_app.people.services import change_user, create_user, delete_user
from phones_app.inventory.api.fields import Shape

LOWEST_LEVEL = 9
# What the server says, whatever is sent.
SAID_BY_SERVER = [
    "uuid", "last_uuid", "last_login_ip", "last_login_at", "last_logout_ip", "created_at", "created_by",
    "updated_at", "created_ip", "updated_ip",
]  # fmt: skip


class PersonRecord(UserRecord, OwnedRecord):
    """A person as those see them who manage the account. The password goes in and never comes out."""

    email = serializers.EmailField(max_length=254)
    username = Text(max_length=254, required=False, allow_blank=True, help_text="Empty: the email.")
    account = AccountNumber(help_text="Of staff null.")
    permission_level = serializers.IntegerField(required=False, min_value=0, max_value=LOWEST_LEVEL)
    password = Text(write_only=True, max_length=1024, trim_whitespace=False)

    class Meta(UserRecord.Meta):
        fields = [*UserRecord.Meta.fields, "account", "permission_level", "password"]
        read_only_fields = SAID_BY_SERVER


ONE = envelope("User", PersonRecord(), metadata=NoMetadata)
MANY = envelope("Users", PersonRecord(many=True), metadata=PageMetadata)
GONE = envelope("UserDeleted", serializers.DictField(child=serializers.CharField()), metadata=NoMetadata)


class UsersView(PhoneFamilyView):
    def rows(self) -> "QuerySet[User]":
        return self.actor.sees(User.objects.select_related("account", "created_by"))

    def person(self, uuid: str) -> User:
        return find(self.rows(), "User", uuid=uuid_in_url(uuid))

    def shown(self, user: User) -> dict[str, Any]:
        return PersonRecord(context={"request": self.request}).to_representation(user)


class UserList(UsersView):
    @extend_schema(operation_id="users_list", parameters=PAGING, responses=answers(200, MANY, 400))
    def get(self, request: Request) -> Response:
        """The people of the account, by email."""
        rows, metadata = page(request, self.rows())
        found = f"{metadata['total']} user(s) found"
        return answer([self.shown(user) for user in rows], found, metadata=metadata)

    @extend_schema(request=PersonRecord, responses=answers(201, ONE, 400, 409))
    def post(self, request: Request) -> Response:
        """Add a person. Staff name the account; without one the person is staff, too."""
        record = PersonRecord(data=request.data, context={"request": request})
        record.is_valid(raise_exception=True)
        user = create_user(actor=self.actor, **record.validated_data)
        return answer(self.shown(user), "User created", status=201, metadata={})


class UserDetail(UsersView):
    @extend_schema(responses=answers(200, ONE, 400, 404))
    def get(self, request: Request, uuid: str) -> Response:
        """One person."""
        return answer(self.shown(self.person(uuid)), "User found", metadata={})

    @extend_schema(request=PersonRecord(partial=True), responses=answers(200, ONE, 400, 404, 409))
    def put(self, request: Request, uuid: str) -> Response:
        """Change only what is sent. Another password ends the person's login sessions."""
        user = self.person(uuid)
        record = PersonRecord(user, data=request.data, partial=True, context={"request": request})
        check_has_known_field(request.data, record)
        record.is_valid(raise_exception=True)
        user = change_user(user, actor=self.actor, **record.validated_data)
        return answer(self.shown(user), "User updated", metadata={})

    @extend_schema(request=PersonRecord(partial=True), responses=answers(200, ONE, 400, 404, 409))
    def patch(self, request: Request, uuid: str) -> Response:
        """The same as PUT."""
        return self.put(request, uuid)

    @extend_schema(responses=answers(200, GONE, 400, 404, 409))
    def delete(self, request: Request, uuid: str) -> Response:
        """Delete a person, with their phone profiles."""
        user = self.person(uuid)
        gone = {"uuid": str(user.uuid), "email": user.email}
        delete_user(user, actor=self.actor)
        return answer(gone, "User deleted", metadata={})


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
