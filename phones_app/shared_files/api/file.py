"""`/files`: what phones read beside their own files; uploaded, replaced, described, downloaded (boot server spec §4)."""

from collections.abc import Collection
from typing import Any

import django_filters
from django.db import models
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.api.dialect import BoundedJSONParser
from contacts_app.core.api.family import FamilyResource, FamilyViewSet
from contacts_app.core.api.family_document import Failure, answers, envelope
from contacts_app.core.api.fields import TRUTH, OneOf, Shape
from contacts_app.core.api.members import refuse_unknown
from contacts_app.core.api.preconditions import PreconditionFailed, tag_of_record
from contacts_app.core.api.view import Text
from contacts_app.core.lists.search import any_match
from phones_app.inventory.models import Phone
from phones_app.shared_files import intake, services
from phones_app.shared_files.api.bodies import FileParser, WholeForm, body_of, content_of
from phones_app.shared_files.models import LONGEST_PATH, SharedFile
from phones_app.shared_files.sending import OCTETS, tag_of_content
from profiles_app.phone.api.profile import MacFilter, MacText

WITH_OWNERS = SharedFile.objects.select_related("account", "phone")
PUT_RIGHTS = ("add", "change")


class FileOrder(models.TextChoices):
    """What an index orders files by."""

    PATH = "path"
    PATH_BACKWARDS = "-path"
    CHANGED = "updated_at"
    CHANGED_BACKWARDS = "-updated_at"


class SharedFileFilter(django_filters.FilterSet):  # type: ignore[misc]
    path = django_filters.CharFilter(label="Exactly this path.")
    kind = OneOf(SharedFile.Kind)
    phone = MacFilter(column="phone__mac", label="Only files for this phone alone; its MAC address in any spelling.")
    sha256 = django_filters.CharFilter(label="Exactly this content.")
    search = django_filters.CharFilter(method="find_text", label="In paths and descriptions.")
    order = OneOf(FileOrder, method="in_order")

    class Meta:
        model = SharedFile
        fields: list[str] = []

    def find_text(self, rows: "QuerySet[SharedFile]", name: str, text: str) -> "QuerySet[SharedFile]":
        return rows.filter(any_match(SharedFile, ("path", "description"), text))

    def in_order(self, rows: "QuerySet[SharedFile]", name: str, order: str) -> "QuerySet[SharedFile]":
        return rows.order_by(order, "-pk" if order.startswith("-") else "pk")


class SharedFileRecord(OwnedRecord):
    """One file; its content is at `/files/{uuid}/content`."""

    account = AccountNumber(help_text="Null: for the phones of all accounts; only staff may write those.")
    phone = MacText(source="phone.mac", read_only=True, allow_null=True, help_text="Null: for all phones.")

    class Meta:
        model = SharedFile
        fields = [
            *("uuid", "account", "phone", "path", "kind", "sha256", "size", "description"),
            *("created_at", "updated_at"),
        ]
        read_only_fields = ["uuid", "sha256", "size"]
        validators: list[object] = []


class ForWhom(Shape):
    """For whose phones a file is."""

    account = AccountNumber(help_text="Staff: whose phones it is for; left out, those of all accounts.")
    phone = MacText(required=False, help_text="The MAC address of the one phone that it is for.")
    description = Text(required=False, allow_blank=True, max_length=255, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        actor = self.context["request"].user
        attrs["account"] = actor.account or attrs.get("account")
        mac = attrs.pop("phone", None)
        attrs["phone"] = actor.sees(Phone.objects.all()).filter(mac=mac).first() if mac else None
        if mac and attrs["phone"] is None:
            raise ValidationError({"phone": "No such phone."})
        return attrs


class PutQuery(ForWhom):
    path = Text(max_length=LONGEST_PATH, help_text="As phones ask for it: United_Kingdom/g3-tones.xml.")
    kind = serializers.ChoiceField(SharedFile.Kind.choices, required=False, help_text="Default: by the path.")


class UploadBody(ForWhom):
    """Files of a form; archives (.zip, .tgz) stand for what is in them."""

    file = serializers.ListField(child=serializers.FileField(), min_length=1, max_length=100)
    into = Text(
        required=False, allow_blank=True, default="", help_text="A folder in front of all paths: German_Germany."
    )
    dry_run = serializers.ChoiceField(list(TRUTH), default="false", help_text="Say what would be done.")


class TakenFileShape(Shape):
    path = serializers.CharField()
    outcome = serializers.ChoiceField([outcome.value for outcome in intake.IntakeOutcome])
    reason = serializers.CharField(help_text="Why it was left out.")
    uuid = serializers.UUIDField(source="row.uuid", allow_null=True, help_text="Null: it was left out.")
    kind = serializers.CharField(source="row.kind", allow_null=True)
    sha256 = serializers.CharField(source="row.sha256", allow_null=True)
    size = serializers.IntegerField(source="row.size", allow_null=True, help_text="In bytes.")


AS_READ = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text)
    for name, text in {
        "If-Match": "The `ETag` of the content, as it was read; 412 if it is another.",
        "If-None-Match": "`*`: only where there is no file yet; else 412.",
    }.items()
]
QUERY = [
    *AS_READ,
    OpenApiParameter("path", str, required=True, description="As phones ask for it: United_Kingdom/g3-tones.xml."),
    OpenApiParameter("account", int, description="Staff: whose phones it is for; left out, those of all accounts."),
    OpenApiParameter("phone", str, description="The MAC address of the one phone that it is for."),
    OpenApiParameter("kind", str, enum=SharedFile.Kind.values, description="Default: by the path."),
    OpenApiParameter("description", str),
]
FILE = envelope("SharedFile", SharedFileRecord)
BODY = {OCTETS: OpenApiTypes.BINARY}


class SharedFiles(FamilyViewSet):
    """Tenants see everybody's files, too, and write their own ones alone."""

    queryset = WITH_OWNERS
    serializer_class = SharedFileRecord
    thing = "File"
    name_in_document = "SharedFile"
    # Not JSON first: what is uploaded is not kept to be compared with what comes under the same key.
    parser_classes = [FileParser]
    parsers: dict[str, type[BaseParser]] = {}

    def get_parsers(self) -> list[Any]:
        # Which action it is will be known to the view only when it has begun.
        action = self.action_map.get((getattr(self.request, "method", None) or "").lower(), getattr(self, "action", ""))
        return [self.parsers.get(action, BoundedJSONParser)()]

    def get_queryset(self) -> Any:
        return self.actor.sees(self.queryset.all(), shared=True)

    def ensure_own(self, row: SharedFile) -> SharedFile:
        if row.account_id is None and not self.actor.is_staff:
            raise PermissionDenied("This file is for all accounts; only staff may do that")
        return row

    def stored(self, row: SharedFile, status: int) -> Response:
        record = self.shown(row)
        self.tag = tag_of_record(record)
        return Response(record, status=status)


def refuse_unless_as_read(request: Request, present: SharedFile | None) -> None:
    """`If-Match` and `If-None-Match` about the content at the path (RFC 9110 §13.1)."""
    wanted, unwanted = (request.META.get(name) for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"))
    tags = {"*", tag_of_content(present)} if present else set[str]()
    if wanted and tags.isdisjoint(parse_etags(wanted)):
        raise PreconditionFailed
    if unwanted and not tags.isdisjoint(parse_etags(unwanted)):
        raise PreconditionFailed


class Files(SharedFiles, FamilyResource):
    filterset_class = SharedFileFilter
    named_by = ("uuid", "path")
    parsers = {"create": WholeForm, "update_list": FileParser}
    rights = {"create": PUT_RIGHTS, "update_list": PUT_RIGHTS}
    messages = {"create": "Files taken in", "update_list": "File stored"}
    descriptions = {
        "list": "The files for the account's phones and those for all phones, by path.",
        "retrieve": "One file.",
        "update": "Change only what is sent: path, kind or description.",
        "destroy": "Delete a file: phones do not get it any more.",
    }
    failures = {"update": (400, 404, 409)}

    def get_object(self) -> SharedFile:
        return self.ensure_own(super().get_object())

    def store(self, row: SharedFile, changed: Collection[str] | None) -> None:
        services.change(row, changed or ())

    def remove(self, row: SharedFile) -> None:
        services.remove([row])

    @extend_schema(
        request={"multipart/form-data": UploadBody},
        responses=answers(201, envelope("TakenFiles", TakenFileShape, many=True), 400, 409, 413, 415),
    )
    def create(self, request: Request) -> Response:
        """Take in the files of a form: single ones, and archives (.zip, .tgz) with the folders that are in them.

        A file at the same path is replaced, whatever the case. All are stored, or none. What phones are never given
        (hidden files, SEP files of single phones) is left out of archives.
        """
        sent = self.sent(body=UploadBody)
        files = [intake.Incoming(one.name, one.file) for one in sent["file"]]
        target = intake.IntakeTarget(sent["account"], sent["phone"], sent["into"], sent["description"])
        dry_run = TRUTH[sent["dry_run"]]
        taken = intake.take_in(files, target, dry_run=dry_run)
        self.message = "Checked; nothing was stored" if dry_run else ""
        return Response(TakenFileShape(taken, many=True).data, status=201)

    @extend_schema(parameters=QUERY, request=BODY, responses=answers(200, FILE, 400, 409, 411, 412, 413) | {201: FILE})
    def update_list(self, request: Request) -> Response:
        """Store the body as the file at `path`, in place of the one that is there, whatever the case.

        `If-None-Match: *` stores it only where there is none, `If-Match` only over the content of that `ETag`.
        """
        query = PutQuery(data=request.query_params, context=self.get_serializer_context())
        refuse_unknown(query, request.query_params)
        query.is_valid(raise_exception=True)
        found: list[SharedFile] = []

        def ensure(present: SharedFile | None) -> None:
            refuse_unless_as_read(request, present)
            found.extend([present] if present else [])

        row = intake.take_in_one(body_of(request), intake.OnePath(**query.validated_data), ensure=ensure)
        return self.stored(row, 200 if found else 201)


class FileContents(SharedFiles):
    parsers = {"update": FileParser}
    messages = {"update": "Content replaced"}

    @extend_schema(responses={(200, OCTETS): OpenApiTypes.BINARY, **answers(404, Failure, 409)})
    def retrieve(self, request: Request, **named: object) -> HttpResponseBase:
        """The content. Its `ETag` is the digest."""
        return content_of(request, self.get_object())

    @extend_schema(parameters=AS_READ[:1], request=BODY, responses=answers(200, FILE, 400, 404, 411, 412, 413))
    def update(self, request: Request, **named: object) -> Response:
        """Replace the content. `If-Match` takes the `ETag` of the content that was read."""
        row = self.ensure_own(self.get_object())
        refuse_unless_as_read(request, row)

        def ensure(present: SharedFile | None) -> None:
            if present is None or present.pk != row.pk:
                raise self.absent()
            refuse_unless_as_read(request, present)

        place = intake.OnePath(row.path, row.account, row.phone)
        return self.stored(intake.take_in_one(body_of(request), place, ensure=ensure), 200)
