"""`/phone-profiles/{uuid}/revisions`: what a profile said when, how two of these differ, and going back to one."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family import (
    PAGING,
    PageMetadata,
    PhoneFamilyView,
    answer,
    answers,
    envelope,
    page,
)
from contacts_app.core.api.view import Manages, OwnsOrManages, Text, find, uuid_in_url
from contacts_app.core.history.authorship import REASON_LENGTH
from phones_app.inventory.api.fields import Record, Shape
from profiles_app.phone import sep
from profiles_app.phone.api.profile import PROFILE, PhoneProfileRecord, profile_of
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from profiles_app.phone.services import restore_revision

MAX_NUMBER = 2**31 - 1
NUMBER = OpenApiParameter("number", int, OpenApiParameter.PATH, description="The first revision is 1.")


class RevisionRecord(Record):
    """One revision without its file."""

    class Meta:
        model = ProfileRevision
        fields = ["number", "author", "channel", "reason", "created_at", "size", "sha256", "facts"]
        read_only_fields = fields


class RevisionWithFile(RevisionRecord):
    cnf_xml = serializers.SerializerMethodField(help_text="The file, character for character.")

    class Meta(RevisionRecord.Meta):
        fields = [*RevisionRecord.Meta.fields, "cnf_xml"]
        read_only_fields = fields

    def get_cnf_xml(self, revision: ProfileRevision) -> str:
        return sep.decode(bytes(revision.content))


class Two(serializers.Serializer[Any]):
    """Which two revisions; `from` is a word of the language, so that the fields are made by name."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {name: serializers.IntegerField(min_value=1, max_value=MAX_NUMBER) for name in ("from", "to")}


class Why(Shape):
    reason = Text(required=False, allow_blank=True, max_length=REASON_LENGTH)


class ComparisonShape(Shape):
    old = RevisionRecord(help_text="The one named by `from`.")
    new = RevisionRecord(help_text="The one named by `to`.")
    same = serializers.BooleanField(help_text="Whether they are the same, byte for byte.")
    diff = serializers.CharField(help_text="Unified, passwords masked.")


REVISIONS = envelope("ProfileRevisions", RevisionRecord(many=True), message=False, metadata=PageMetadata)
REVISION = envelope("ProfileRevision", RevisionWithFile())
COMPARISON = envelope("RevisionComparison", ComparisonShape())


class RevisionView(PhoneFamilyView):
    def get_permissions(self) -> list[BasePermission]:
        return [OwnsOrManages() if self.request.method in ("GET", "HEAD") else Manages()]

    def profile(self, uuid: str) -> PhoneProfile:
        return profile_of(self.actor, uuid_in_url(uuid))

    def revision(self, uuid: str, number: str) -> ProfileRevision:
        if not (number.isascii() and number.isdigit() and int(number) <= MAX_NUMBER):
            raise serializers.ValidationError({"number": "Must be the number of a revision."})
        return find(self.profile(uuid).revisions.all(), "Revision", number=int(number))


class RevisionList(RevisionView):
    @extend_schema(
        responses=answers(200, REVISIONS, 400, 404),
        parameters=PAGING,
        operation_id="phone_profiles_revisions_list",
    )
    def get(self, request: Request, uuid: str) -> Response:
        """The revisions of a profile, the newest first, without their files."""
        rows, metadata = page(request, self.profile(uuid).revisions.defer("content").order_by("-number"))
        return answer(RevisionRecord(rows, many=True).data, metadata=metadata)


class RevisionDetail(RevisionView):
    @extend_schema(responses=answers(200, REVISION, 400, 404), parameters=[NUMBER])
    def get(self, request: Request, uuid: str, number: str) -> Response:
        """One revision with its file."""
        return answer(RevisionWithFile(self.revision(uuid, number)).data, "Revision found")


class RevisionComparison(RevisionView):
    @extend_schema(
        responses=answers(200, COMPARISON, 400, 404),
        parameters=[OpenApiParameter(name, int, required=True) for name in ("from", "to")],
    )
    def get(self, request: Request, uuid: str) -> Response:
        """How two revisions differ, passwords masked."""
        asked = Two(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows = self.profile(uuid).revisions.all()
        old, new = (find(rows, "Revision", number=asked.validated_data[name]) for name in ("from", "to"))
        before, after = bytes(old.content), bytes(new.content)
        compared = {
            "old": RevisionRecord(old).data,
            "new": RevisionRecord(new).data,
            "same": before == after,
            "diff": sep.diff(before, after),
        }
        return answer(compared, "Revisions compared")


class RevisionRestore(RevisionView):
    @extend_schema(request=Why, responses=answers(201, PROFILE, 400, 404, 409, 413), parameters=[NUMBER])
    def post(self, request: Request, uuid: str, number: str) -> Response:
        """Make the file of this revision the profile's present one, as a new revision. 409 if it is that already."""
        revision = self.revision(uuid, number)
        why = Why(data=request.data)
        why.is_valid(raise_exception=True)
        restore_revision(revision, actor=self.actor, reason=why.validated_data.get("reason", ""))
        restored = PhoneProfileRecord().to_representation(self.profile(uuid))
        return answer(restored, "Revision restored", status=201)
