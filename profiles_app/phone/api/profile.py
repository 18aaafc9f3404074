"""`/phone-profiles`: list, read, create, change and delete (phone profiles spec §1 to §3)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import django_filters
from django import forms
from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.family import MESSAGES, FamilyResource, FamilyViewSet, ReadableByOwners
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import EmptyIsNull, RowUuid, Shape, described
from contacts_app.core.api.reading import Narrowed, reading_of
from contacts_app.core.api.rows import Rows
from contacts_app.core.api.view import Instant, LongText, OwnsOrManages, Text, find, uuid_in_url
from contacts_app.people.models import User
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, SoftwareType
from profiles_app.phone.sep.catalogue import colons, parse_mac
from profiles_app.phone.services import (
    create_profile,
    describe,
    encode,
    findings_for,
    phones_running,
    unless_masked,
    update_profile,
    visible_xml,
)

WARNINGS_HEADER = "X-Patchbay-Warnings"
# Proxies refuse headers of a few thousand bytes.
LONGEST_HEADER = 3_000
IN_HEADER = OpenApiParameter(
    WARNINGS_HEADER,
    str,
    OpenApiParameter.HEADER,
    response=[200, 201, 202],
    description="What the checker warns of, as a JSON list of texts; absent when there is nothing.",
)


class SoftwareTypeField(EmptyIsNull, serializers.ChoiceField):
    """`SCCP`, `SIP`, `SIPE`; empty and null are both "any"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=SoftwareType.choices, **({"required": False, "allow_null": True} | kwargs))


@extend_schema_field(OpenApiTypes.STR)
class MacText(serializers.Field[str, Any, str, Any]):
    """A MAC address: any spelling in, upper case with colons out."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a MAC address.")
        try:
            return parse_mac(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: str) -> str:
        return colons(value)


class MacField(forms.CharField):
    def clean(self, value: object) -> str:
        text = super().clean(value)
        try:
            return parse_mac(text) if text else ""
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class MacFilter(django_filters.Filter):  # type: ignore[misc]
    """A whole MAC address in any spelling."""

    field_class = MacField

    def __init__(self, lookup_expr: str = "exact", *, label: str, column: str = "mac") -> None:
        super().__init__(column, lookup_expr, label=label)
        described(self, label, type="string")


class PhoneProfileRecord(Narrowed, Shape):
    """The nine members of a profile; the file is kept and given back character for character."""

    is_shown_whole = True
    needs: ClassVar[Mapping[str, Sequence[str]]] = {"cnf_xml": ("revision__content",)}

    uuid = serializers.UUIDField(read_only=True)
    user_uuid = RowUuid(source="user", help_text="Owner of this profile.")
    name = Text(max_length=255)
    description = LongText(required=False, allow_null=True, allow_blank=True, trim_whitespace=False, max_length=65_535)
    cnf_xml = LongText(trim_whitespace=False, help_text="Full SEP<MAC>.cnf.xml.")
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

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        return record | {"cnf_xml": visible_xml(record["cnf_xml"], context["request"].user)}

    def validate_user_uuid(self, uuid: Any) -> User:
        actor: Actor = self.context["request"].user
        people = actor.sees(User.objects.all()) if actor.manages else User.objects.filter(uuid=actor.user.uuid)
        user = people.filter(uuid=uuid).first()
        if user is None:
            raise serializers.ValidationError("No such user.")
        return user

    def validate_compatible_models(self, models: list[str] | None) -> list[str]:
        return models or []

    def validate(self, attrs: dict[str, Any]) -> dict[str, object]:
        """From the document's names to those of the services."""
        if "cnf_xml" in attrs:
            attrs["content"] = encode(attrs.pop("cnf_xml"))
        return attrs


class FindingShape(Shape):
    code = serializers.CharField()
    severity = serializers.CharField(help_text="`error` or `warning`.")
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)


class TellsWarnings(FamilyViewSet):
    """Tells what the checker warns of: in a header, and in the envelope where the document leaves room.

    An action that stores or deploys a file sets `warnings`.
    """

    warnings: Sequence[sep.Finding] = ()
    room_for_warnings: ClassVar[bool] = True

    def envelope(self, content: Any) -> dict[str, Any]:
        body = super().envelope(content)
        told = self.warnings and self.room_for_warnings
        return body | {"warnings": [finding.as_dict() for finding in self.warnings]} if told else body

    def finalize_response(self, request: Request, response: Any, *args: object, **kwargs: object) -> Any:
        if self.warnings and not response.exception:
            response[WARNINGS_HEADER] = _header(list(map(describe, self.warnings)))
        return super().finalize_response(request, response, *args, **kwargs)


def _header(texts: list[str]) -> str:
    """The texts as JSON in ASCII; those for which a header has no room are counted."""
    told: list[str] = []
    room = LONGEST_HEADER
    for text in texts:
        room -= len(json.dumps(text)) + 2
        if room < 0:
            told.append(f"and {len(texts) - len(told)} more")
            break
        told.append(text)
    return json.dumps(told)


class WritableByOwners(ReadableByOwners):
    """People of any level write what is their own as well, where ops let them."""

    def get_permissions(self) -> list[BasePermission]:
        return [OwnsOrManages()] if settings.OWN_PHONE_PROFILES else super().get_permissions()


class StoredProfile(Shape):
    """What an answer holds when a file was stored."""

    success = serializers.BooleanField(help_text="True.")
    message = serializers.CharField()
    data = PhoneProfileRecord()  # type: ignore[assignment]
    warnings = FindingShape(many=True, required=False, help_text="Absent when there are none.")


GONE = serializers.DictField(child=serializers.CharField(), help_text="uuid and name of what went.")
PROFILES = envelope("PhoneProfiles", PhoneProfileRecord, many=True, message=False, metadata=None)
WITH_CONTENT = PhoneProfile.objects.select_related("user", "revision")


def profile_of(actor: Actor, uuid: object) -> PhoneProfile:
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
    create=extend_schema(
        examples=examples_of(__file__, "create"),
        parameters=[IN_HEADER],
        responses=answers(201, StoredProfile, 400, 413),
    ),
    update=extend_schema(parameters=[IN_HEADER], responses=answers(200, StoredProfile, 400, 404, 413)),
    partial_update=extend_schema(parameters=[IN_HEADER], responses=answers(200, StoredProfile, 400, 404, 413)),
    destroy=extend_schema(responses=answers(200, envelope("PhoneProfileDeleted", GONE, metadata=None), 400, 404)),
)
class PhoneProfiles(TellsWarnings, WritableByOwners, FamilyResource):
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
        "destroy": "Delete a profile with its revisions. Phones that run its file go on; the message names them.",
    }
    failures = {"list": ()}
    rights = {"of_user": "view"}

    def get_queryset(self) -> "QuerySet[PhoneProfile]":
        actor, rows = self.actor, WITH_CONTENT.all()
        return actor.sees(rows, "user__account") if actor.manages else rows.filter(user=actor.user)

    def get_object(self) -> PhoneProfile:
        return profile_of(self.actor, uuid_in_url(self.kwargs["uuid"]))

    def retrieve(self, request: Request, **named: object) -> Response:
        return Response(self.shown(self.get_object()))

    def create(self, request: Request) -> Response:
        profile = create_profile(actor=self.actor, **self.sent())
        self.warnings = findings_for(profile)
        return Response(self.shown(profile), status=201)

    def partial_update(self, request: Request, **named: str) -> Response:
        profile = self.get_object()
        sent = unless_masked(profile, self.actor, self.sent(profile))
        changed = update_profile(profile, actor=self.actor, **sent)
        self.warnings = findings_for(changed)
        return Response(self.shown(changed))

    def remove(self, row: PhoneProfile) -> None:
        running = phones_running(row)
        row.delete()
        self.message = f"{MESSAGES['destroy'].format(self.thing)}. {running}" if running else ""

    @extend_schema(responses=answers(200, PROFILES, 400))
    @action(detail=False, url_path="user/<str:user_uuid>")
    def of_user(self, request: Request, user_uuid: str) -> Any:
        """The profiles of one owner; none for an owner who is not known."""
        actor = self.actor
        owner = uuid_in_url(user_uuid, "userUuid")
        own = actor.user is not None and actor.user.uuid == owner
        if not (actor.manages or own):
            raise PermissionDenied("These phone profiles belong to somebody else")
        rows = WITH_CONTENT.filter(user__uuid=owner)
        rows = rows if own else actor.sees(rows, "user__account")
        return self.whole(Rows(rows, reading_of(PhoneProfileRecord, PhoneProfile), is_prepared=False))
