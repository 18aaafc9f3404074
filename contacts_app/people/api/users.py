"""`/users`: the people of an account; `/me`: one's own record; `/permissions`: the permission levels, which are fixed
(phone profiles spec §1, §6).
"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.api.family import FamilyResource, FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import ModelRecord, RowUuid, Shape
from contacts_app.core.api.view import Instant, LoggedIn, Text
from contacts_app.core.api.viewset import Retrieved
from contacts_app.people.models import User
from contacts_app.people.services import change_user, create_user, delete_user

LOWEST_LEVEL = 9
# As Django's own page for a new user asks.
MAKES_PEOPLE = ("contacts_app.add_user", "contacts_app.change_user")


class NotRecorded(serializers.CharField):
    """A member of the document that is always null here."""

    needs = ()

    def __init__(self) -> None:
        super().__init__(source="*", read_only=True, allow_null=True, help_text="Always null.")

    def to_representation(self, value: object) -> None:  # type: ignore[override]
        return None


class UserRecord(ModelRecord):
    """The documented members of a person, and no secret among them."""

    last_uuid = NotRecorded()
    last_login_at = Instant(source="last_login", read_only=True, allow_null=True)
    created_by = RowUuid(read_only=True, allow_null=True)
    created_ip = NotRecorded()
    updated_ip = NotRecorded()

    class Meta:
        model = User
        fields = [
            *("uuid", "first_name", "last_name", "username", "email", "phone", "lang", "location"),
            *("nationality", "timezone", "last_uuid", "last_login_ip", "last_login_at", "last_logout_ip"),
            *("is_active", "created_at", "created_by", "updated_at", "created_ip", "updated_ip"),
        ]
        read_only_fields = fields


class PersonRecord(UserRecord, OwnedRecord):
    """A person as those see them who manage the account. The password goes in and never comes out."""

    email = serializers.EmailField(max_length=254)
    username = Text(max_length=254, required=False, allow_blank=True, help_text="Empty: the email.")
    account = AccountNumber(help_text="Of staff null.")
    permission_level = serializers.IntegerField(required=False, min_value=0, max_value=LOWEST_LEVEL)
    password = Text(write_only=True, max_length=1024, trim_whitespace=False)
    pin = Text(
        write_only=True, required=False, allow_blank=True, max_length=64, help_text="For phones; empty: take it away."
    )
    has_pin = serializers.BooleanField(read_only=True, help_text="Whether the person can log in on phones.")
    must_change_pin = serializers.BooleanField(
        source="pin_must_change",
        required=False,
        help_text="Phones ask for another PIN first. True for a PIN that somebody else has set, unless it is sent.",
    )
    needs = {"has_pin": ("pin_hash",)}

    class Meta(UserRecord.Meta):
        fields = [
            *(*UserRecord.Meta.fields, "account", "permission_level", "password"),
            *("pin", "has_pin", "must_change_pin"),
        ]
        read_only_fields = ["uuid", "last_login_ip", "last_logout_ip", "created_at", "updated_at"]


class Users(FamilyResource):
    queryset = User.objects.select_related("account", "created_by")
    serializer_class = PersonRecord
    thing = name_in_document = "User"
    named_by = ("uuid", "email")
    descriptions = {
        "list": "The people of the account, by email.",
        "create": "Add a person. Staff name the account; without one the person is staff, too.",
        "retrieve": "One person.",
        "update": "Change only what is sent. Another password ends the person's login sessions.",
        "destroy": "Delete a person, with their phone profiles.",
    }
    failures = {"create": (400, 409), "update": (400, 404, 409), "destroy": (400, 404, 409)}
    rights = {"create": MAKES_PEOPLE}

    def create(self, request: Request) -> Response:
        return Response(self.shown(create_user(actor=self.actor, **self.sent())), status=201)

    def partial_update(self, request: Request, **named: str) -> Response:
        user = self.get_object()
        return Response(self.shown(change_user(user, actor=self.actor, **self.sent(user))))

    def remove(self, row: User) -> None:
        delete_user(row, actor=self.actor)


class OneselfViewSet(FamilyViewSet):
    """What belongs to the person of a credential, which takes no permission."""

    permission_classes = [LoggedIn]
    failures = {"retrieve": (404,)}

    def get_object(self) -> User:
        user: User | None = self.actor.user
        if user is None:
            raise self.absent()
        return user

    def absent(self) -> NotFound:
        return NotFound("This token belongs to no person")


class Me(Retrieved, OneselfViewSet):
    queryset = User.objects.all()
    serializer_class = UserRecord
    thing = "User"
    name_in_document = "Me"
    descriptions = {"retrieve": "One's own record."}
    rights = {"retrieve": ()}

    def get_queryset(self) -> Any:
        # What the credential was found with may be some seconds old.
        return User.objects.filter(pk=self.actor.pk or 0)

    def named(self) -> dict[str, object]:
        return {"pk": self.actor.pk or 0}


class PermissionLevel(Shape):
    level = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()


class PermissionLevels(FamilyViewSet):
    serializer_class = PermissionLevel
    rights = {"list": ()}
    filter_backends = []
    pagination_class = None

    @extend_schema(responses=answers(200, envelope("PermissionLevels", PermissionLevel, many=True)))
    def list(self, request: Request) -> Response:
        """The levels, 0 the highest."""
        highest = ("Administrator", "May do everything in the account; without an account, everything.")
        others = ("User", "Sees and switches their own phone profiles.")
        levels = [
            {"level": level, "name": name, "description": description}
            for level, (name, description) in enumerate([highest] + [others] * LOWEST_LEVEL)
        ]
        self.message = f"{len(levels)} permission(s) found"
        return Response(levels)
