"""`/firmware`: the loads that phones can be given, added from packages that are complete (boot server spec §8)."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import Failure, answers, envelope
from contacts_app.core.api.fields import TRUTH, Shape
from contacts_app.core.api.view import Text
from contacts_app.core.api.viewset import Listed, Retrieved
from contacts_app.core.lists.search import any_match
from phones_app.firmware.adding import IncompleteFirmware, add_firmware
from phones_app.firmware.models import Firmware
from phones_app.firmware.services import remove_firmware
from phones_app.firmware.sets.verdict import faults_as_rows
from phones_app.shared_files.models import LONGEST_PATH
from profiles_app.phone.sep.catalogue import find

# So many parts of one upload: a .loads and what it names.
MOST_FILES = 100


class FirmwareFilter(django_filters.FilterSet):  # type: ignore[misc]
    load = django_filters.CharFilter(label="Exactly this load.")
    protocol = django_filters.CharFilter(label="SIP, SCCP or MPP.")
    model = django_filters.CharFilter(method="for_model", label="Loads of this model, however it is written.")
    search = django_filters.CharFilter(method="find_text", label="In names of loads and packages.")

    class Meta:
        model = Firmware
        fields: list[str] = []

    def for_model(self, rows: "QuerySet[Firmware]", name: str, model: str) -> "QuerySet[Firmware]":
        return rows.filter(loads_for(model))

    def find_text(self, rows: "QuerySet[Firmware]", name: str, text: str) -> "QuerySet[Firmware]":
        return rows.filter(any_match(Firmware, ("load", "package"), text))


def loads_for(model: str) -> Q:
    """Loads by the beginnings that the catalogue knows for a model."""
    known = find(model)
    begin = (
        [any_match(Firmware, ("load",), beginning) & Q(load__istartswith=beginning) for beginning in known.loads]
        if known
        else []
    )
    return reduce(or_, begin, Q(pk__in=[]))


class ComponentShape(Shape):
    """One file of a load; the first is its `.loads`."""

    name = serializers.CharField()
    platform = serializers.CharField(help_text="The hardware that fetches it; empty: all.")
    condition = serializers.CharField(help_text="What a 792x asks before it fetches it; empty: nothing.")
    size = serializers.IntegerField(help_text="In bytes.")
    sha256 = serializers.CharField()


class FaultShape(Shape):
    code = serializers.CharField(help_text="Such as: missing.")
    file = serializers.CharField()
    platform = serializers.CharField(help_text="The hardware that it concerns; empty: all.")
    message = serializers.CharField()


class PlatformsField(serializers.DictField):
    needs = ("components", "faults")

    def __init__(self) -> None:
        text = "For each kind of hardware whether its part is complete; empty: a load has no such parts."
        super().__init__(child=serializers.BooleanField(), read_only=True, help_text=text)

    def get_attribute(self, instance: Firmware) -> dict[str, bool]:
        return instance.platforms


class CompleteField(serializers.BooleanField):
    needs = ("faults",)

    def __init__(self) -> None:
        super().__init__(read_only=True, help_text="Whether phones find all that they ask for.")

    def get_attribute(self, instance: Firmware) -> bool:
        return not instance.faults


class FirmwareSummary(OwnedRecord):
    account = AccountNumber(help_text="Null: for the phones of all accounts.")
    models = serializers.ListField(source="phone_models", child=serializers.CharField(), read_only=True)
    complete = CompleteField()
    faults = serializers.ListField(child=FaultShape(), read_only=True)

    class Meta:
        model = Firmware
        fields = [
            *("uuid", "account", "load", "version", "protocol", "models", "folder", "size", "package"),
            *("complete", "faults", "checked_at", "created_at", "updated_at"),
        ]
        read_only_fields = fields


class FirmwareRecord(FirmwareSummary):
    """One load with its files."""

    platforms = PlatformsField()
    components = serializers.ListField(child=ComponentShape(), read_only=True)
    remarks = serializers.ListField(child=FaultShape(), read_only=True)

    class Meta(FirmwareSummary.Meta):
        fields = [
            *FirmwareSummary.Meta.fields[:-3],
            "platforms",
            "components",
            "remarks",
            *FirmwareSummary.Meta.fields[-3:],
        ]
        read_only_fields = fields


class FirmwareUpload(Shape):
    """A form: one package, or one or several `.loads` files with all that they name."""

    file = serializers.ListField(child=serializers.FileField(), min_length=1, max_length=MOST_FILES)
    account = AccountNumber(help_text="Staff: whose phones it is for; left out, those of all accounts.")
    into = Text(
        required=False, allow_blank=True, default="", max_length=LONGEST_PATH, help_text="A folder for its files."
    )
    replace_defaults = serializers.BooleanField(
        default=False, help_text="Have phones boot from what the package has for that after a factory reset."
    )
    dry_run = serializers.ChoiceField(list(TRUTH), default="false", help_text="Judge it and store nothing.")


class IncompleteFault(FaultShape):
    load = serializers.CharField()


class AddedShape(Shape):
    loads = FirmwareRecord(many=True)
    kept = serializers.ListField(
        child=serializers.CharField(),
        help_text="Files for after a factory reset that were there, and stay as they are: termNN.default.loads.",
    )


class FirmwareFailure(Failure):
    faults = IncompleteFault(many=True, required=False)


class FirmwareLoads(Listed, Retrieved, FamilyViewSet):
    """Tenants see what is for all accounts, too, and add and delete their own alone."""

    queryset = Firmware.objects.select_related("account").order_by("load", "pk")
    serializer_class = FirmwareRecord
    list_class = FirmwareSummary
    filterset_class = FirmwareFilter
    parser_classes = [MultiPartParser]
    thing = "Firmware"
    name_in_document = "Firmware"
    messages: ClassVar[Mapping[str, str]] = {"create": "Firmware added", "destroy": "Firmware deleted"}
    descriptions = {
        "list": "The loads for the account's phones and those for all phones, by name.",
        "retrieve": "One load with its files.",
    }

    def get_queryset(self) -> Any:
        return self.actor.sees(self.queryset.all(), shared=True)

    @extend_schema(
        request={"multipart/form-data": FirmwareUpload},
        responses=answers(201, envelope("AddedFirmware", AddedShape), 400, 413, 415) | {409: FirmwareFailure},
    )
    def create(self, request: Request) -> Response:
        """Add the loads of a package: .zip, .tgz, .cop.sgn, .cop.sha512, or a .loads file with what it names.

        All loads of a package are added, or none: a set of which anything is missing is refused, and `faults` name it.
        """
        sent = self.sent(body=FirmwareUpload)
        dry_run = TRUTH[sent["dry_run"]]
        try:
            added = add_firmware(
                {one.name: one.file for one in sent["file"]},
                account=self.actor.account or sent.get("account"),
                folder=sent["into"],
                replace_defaults=sent["replace_defaults"],
                dry_run=dry_run,
            )
        except IncompleteFirmware as refusal:
            body = self.dialect.error(409, refusal.message, {}, refusal.code)
            body["faults"] = [
                fault | {"load": one.load} for one in refusal.incomplete for fault in faults_as_rows(one.faults)
            ]
            return Response(body, status=409, exception=True)
        self.message = "Checked; nothing was stored" if dry_run else ""
        loads = FirmwareRecord(added.loads, many=True, context=self.get_serializer_context()).data
        return Response({"loads": loads, "kept": added.kept}, status=201)

    @extend_schema(responses=answers(200, envelope("FirmwareDeleted", FirmwareSummary), 404, 409))
    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete a load and those of its files that no other load needs."""
        row = self.get_object()
        if row.account_id is None and not self.actor.is_staff:
            raise PermissionDenied("This firmware is for all accounts; only staff may do that")
        shown = FirmwareSummary(row, context=self.get_serializer_context()).data
        remove_firmware(row)
        return Response(shown)
