"""`/phone-profiles/{uuid}/revisions`: what a profile said when, how two of these differ, and going back to one."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import PageMetadata, answers, envelope
from contacts_app.core.api.fields import ModelRecord, Shape
from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.view import Text, find, uuid_in_url
from contacts_app.core.api.viewset import Listed, Retrieved
from contacts_app.core.history.authorship import REASON_LENGTH
from profiles_app.phone import sep
from profiles_app.phone.api.profile import (
    IN_HEADER,
    PhoneProfileRecord,
    StoredProfile,
    TellsWarnings,
    WritableByOwners,
    profile_of,
)
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from profiles_app.phone.services import findings_for, restore_revision, visible_xml

MAX_NUMBER = 2**31 - 1
NUMBER = OpenApiParameter("number", int, OpenApiParameter.PATH, description="The first revision is 1.")


class RevisionRecord(ModelRecord):
    """One revision without its file."""

    class Meta:
        model = ProfileRevision
        fields = ["number", "author", "channel", "reason", "created_at", "size", "sha256", "facts"]
        read_only_fields = fields


class RevisionWithFile(Narrowed, RevisionRecord):
    needs: ClassVar[Mapping[str, Sequence[str]]] = {"cnf_xml": ("content",)}

    cnf_xml = serializers.SerializerMethodField(help_text="The file, character for character.")

    class Meta(RevisionRecord.Meta):
        fields = [*RevisionRecord.Meta.fields, "cnf_xml"]
        read_only_fields = fields

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        return record | {"cnf_xml": visible_xml(record["cnf_xml"], context["request"].user)}

    def get_cnf_xml(self, revision: ProfileRevision) -> str:
        return sep.decode(bytes(revision.content))


class Two(serializers.Serializer[Any]):
    """Which two revisions; `from` is a word of the language, so that the fields are made by name."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: serializers.IntegerField(min_value=1, max_value=MAX_NUMBER) for name in ("from", "to")}


class RestoreReason(Shape):
    reason = Text(required=False, allow_blank=True, max_length=REASON_LENGTH)


class ComparisonShape(Shape):
    old = RevisionRecord(help_text="The one named by `from`.")
    new = RevisionRecord(help_text="The one named by `to`.")
    same = serializers.BooleanField(help_text="Whether they are the same, byte for byte.")
    diff = serializers.CharField(help_text="Unified, passwords masked.")


REVISIONS = envelope("ProfileRevisions", RevisionRecord, many=True, message=False, metadata=PageMetadata)
COMPARISON = envelope("RevisionComparison", ComparisonShape, metadata=None)


@extend_schema_view(
    list=extend_schema(responses=answers(200, REVISIONS, 400, 404)), retrieve=extend_schema(parameters=[NUMBER])
)
class Revisions(Listed, Retrieved, TellsWarnings, WritableByOwners):
    queryset = ProfileRevision.objects.all()
    serializer_class = RevisionWithFile
    list_class = RevisionRecord
    thing = "Revision"
    name_in_document = "ProfileRevision"
    lookup_field = "number"
    metadata = None
    messages = {"compare": "Revisions compared", "restore": "Revision restored"}
    descriptions = {
        "list": "The revisions of a profile, the newest first, without their files.",
        "retrieve": "One revision with its file.",
    }
    # Revisions are read like the profile itself.
    rights = {
        **dict.fromkeys(("list", "retrieve", "compare"), "profiles_app.view_phoneprofile"),
        "restore": "profiles_app.change_phoneprofile",
    }

    def profile(self) -> PhoneProfile:
        return profile_of(self.actor, uuid_in_url(self.kwargs["uuid"]))

    def get_queryset(self) -> "QuerySet[ProfileRevision]":
        rows = self.profile().revisions.own()
        return rows.defer("content").order_by("-number") if self.action == "list" else rows

    def named(self) -> dict[str, object]:
        number = self.kwargs["number"]
        if not (number.isascii() and number.isdigit() and int(number) <= MAX_NUMBER):
            raise serializers.ValidationError({"number": "Must be the number of a revision."})
        return {"number": int(number)}

    def get_paginated_response(self, data: object) -> Response:
        response = super().get_paginated_response(data)
        self.message = ""
        return response

    @extend_schema(
        responses=answers(200, COMPARISON, 400, 404),
        parameters=[OpenApiParameter(name, int, required=True) for name in ("from", "to")],
    )
    @action(detail=False)
    def compare(self, request: Request, uuid: str) -> Response:
        """How two revisions differ, passwords masked."""
        asked, rows = self.asked(Two), self.get_queryset()
        old, new = (find(rows, "Revision", number=asked[name]) for name in ("from", "to"))
        before, after = bytes(old.content), bytes(new.content)
        compared = {"old": old, "new": new, "same": before == after, "diff": sep.diff(before, after)}
        return Response(ComparisonShape(compared).data)

    @extend_schema(
        request=RestoreReason, responses=answers(201, StoredProfile, 400, 404, 409, 413), parameters=[NUMBER, IN_HEADER]
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, uuid: str, number: str) -> Response:
        """Make the file of this revision the profile's present one, as a new revision. 409 if it is that already."""
        revision = self.get_object()
        restore_revision(revision, actor=self.actor, reason=self.sent(body=RestoreReason).get("reason", ""))
        profile = self.profile()
        self.warnings = findings_for(profile)
        shown = PhoneProfileRecord(profile, context=self.get_serializer_context())
        return Response(shown.data, status=201)
