"""`/phone-profiles`: list, read, create, change and delete (phone profiles spec §1 to §3)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.family import FamilyResource, ReadableByOwners, answers, envelope
from contacts_app.core.api.fields import RowUuid, Shape
from contacts_app.core.api.view import Instant, Text, find, uuid_in_url
from contacts_app.people.models import User
from profiles_app.phone.api.fields import SoftwareTypeField
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.services import create_profile, encode, update_profile


class PhoneProfileRecord(Shape):
    """The nine members of a profile; the file is kept and given back character for character."""

    is_shown_whole = True
    needs: ClassVar[Mapping[str, Sequence[str]]] = {"cnf_xml": ("revision__content",)}

    uuid = serializers.UUIDField(read_only=True)
    user_uuid = RowUuid(source="user", help_text="Owner of this profile.")
    name = Text(max_length=255)
    description = Text(required=False, allow_null=True, allow_blank=True, trim_whitespace=False, max_length=65_535)
    cnf_xml = Text(trim_whitespace=False, help_text="Full SEP<MAC>.cnf.xml.")
    compatible_models = serializers.ListField(
        child=Text(max_length=64),
        required=False,
        allow_null=True,
        max_length=200,
        help_text="Phone models this profile works with; empty: all.",
    )
    software_type = SoftwareTypeField(help_text="Empty: all.")
    created_at = Instant(read_only=True)
    updated_at = Instant(read_only=True)

    def validate_user_uuid(self, uuid: Any) -> User:
        actor: Actor = self.context["request"].user
        user = actor.sees(User.objects.all()).filter(uuid=uuid).first()
        if user is None:
            raise serializers.ValidationError("No such user.")
        return user

    def validate_compatible_models(self, models: list[str] | None) -> list[str]:
        return models or []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """From the document's names to those of the services."""
        if "cnf_xml" in attrs:
            attrs["content"] = encode(attrs.pop("cnf_xml"))
        return attrs


GONE = serializers.DictField(child=serializers.CharField(), help_text="uuid and name of what went.")
PROFILES = envelope("PhoneProfiles", PhoneProfileRecord, many=True, message=False, metadata=None)
WITH_CONTENT = PhoneProfile.objects.select_related("user", "revision")


def profile_of(actor: Actor, uuid: Any) -> PhoneProfile:
    """The profile: 404 outside the actor's account, 403 for somebody else's unless the actor manages it."""
    rows = WITH_CONTENT.all()
    visible = actor.sees(rows, "user__account")
    if actor.user is not None:
        visible |= rows.filter(user=actor.user)
    profile = find(visible, "Phone profile", uuid=uuid)
    if not actor.manages and profile.user_id != actor.pk:
        raise PermissionDenied("This phone profile belongs to somebody else")
    return profile


@extend_schema_view(
    list=extend_schema(examples=examples_of(__file__, "list")),
    create=extend_schema(examples=examples_of(__file__, "create")),
    destroy=extend_schema(responses=answers(200, envelope("PhoneProfileDeleted", GONE, metadata=None), 400, 404)),
)
class PhoneProfiles(ReadableByOwners, FamilyResource):
    queryset = WITH_CONTENT
    serializer_class = PhoneProfileRecord
    thing = "Phone profile"
    name_in_document = "PhoneProfile"
    # The seed document shows neither.
    pagination_class = None
    metadata = None
    descriptions = {
        "list": "All phone profiles of the account, or one's own, in the order in which they were made.",
        "create": "Make a profile. The file is checked first; what is wrong with it comes with line and column.",
        "retrieve": "One profile.",
        "update": "Change only what is sent. Another file becomes another revision; the former ones are kept.",
        "destroy": "Delete a profile with its revisions. Phones that run it go on, with no current profile.",
    }
    failures = {"list": (), "create": (400, 413), "update": (400, 404, 413)}

    def get_queryset(self) -> "QuerySet[PhoneProfile]":
        actor, rows = self.actor, WITH_CONTENT.all()
        return actor.sees(rows, "user__account") if actor.manages else rows.filter(user=actor.user)

    def get_object(self) -> PhoneProfile:
        return profile_of(self.actor, uuid_in_url(self.kwargs["uuid"]))

    def retrieve(self, request: Request, **named: Any) -> Response:
        return Response(self.shown(self.get_object()))

    def create(self, request: Request) -> Response:
        return Response(self.shown(create_profile(actor=self.actor, **self.sent())), status=201)

    def partial_update(self, request: Request, **named: str) -> Response:
        profile = self.get_object()
        return Response(self.shown(update_profile(profile, actor=self.actor, **self.sent(profile))))

    @extend_schema(responses=answers(200, PROFILES, 400))
    @action(detail=False, url_path="user/<str:user_uuid>")
    def of_user(self, request: Request, user_uuid: str) -> Response:
        """The profiles of one owner; none for an owner who is not known."""
        actor = self.actor
        owner = uuid_in_url(user_uuid, "userUuid")
        own = actor.user is not None and actor.user.uuid == owner
        if not (actor.manages or own):
            raise PermissionDenied("These phone profiles belong to somebody else")
        rows = WITH_CONTENT.filter(user__uuid=owner)
        rows = rows if own else actor.sees(rows, "user__account")
        return Response(self.get_serializer(rows, many=True).data)
