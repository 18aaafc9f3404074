"""`/enrolment-codes`, `/enrolment-requests`, and `/phones/{mac}/replace`: phones that enrol themselves, and handsets that
take the place of others (mobility spec §6).
"""

from datetime import timedelta

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber
from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import ModelRecord, RowUuid, Shape
from contacts_app.core.api.view import Text, find
from contacts_app.core.api.viewset import Listed, Retrieved
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.inventory.api.phone import PhonesByMac
from phones_app.inventory.models import Phone
from phones_app.mobility import enrolment
from phones_app.mobility.models import EnrolmentCode, EnrolmentRequest
from phones_app.mobility.replacement import Handset, preview, replace_handset
from profiles_app.phone.api.profile import MacText, profile_of

LONGEST_DAYS, USUAL_DAYS = 365, 30
MAY_SEE_PROFILES = "profiles_app.view_phoneprofile"


class CodeRecord(ModelRecord):
    account = AccountNumber(read_only=True)
    phone = RowUuid(read_only=True, allow_null=True, help_text="The prepared phone.")
    profile = RowUuid(read_only=True, allow_null=True)
    used_by = MacText(read_only=True, allow_null=True)

    class Meta:
        model = EnrolmentCode
        fields = [
            *("uuid", "account", "ending", "phone", "profile", "name", "location", "expires_at", "created_at"),
            *("used_at", "used_by"),
        ]
        read_only_fields = fields


class CodesRequest(Shape):
    """Codes for new phones of a profile, or one for a prepared phone."""

    mac = MacText(required=False, help_text="Of the prepared phone, which the new one replaces.")
    profile_uuid = serializers.UUIDField(required=False, help_text="Left out: that of the prepared phone.")
    name = Text(required=False, allow_blank=True, max_length=255, help_text="Of the new phone.")
    location = Text(required=False, allow_blank=True, max_length=255, help_text="Of the new phone.")
    count = serializers.IntegerField(default=1, min_value=1, max_value=enrolment.MOST_CODES)
    days = serializers.IntegerField(
        default=USUAL_DAYS, min_value=1, max_value=LONGEST_DAYS, help_text="How long the codes are good for."
    )


class MadeCode(Shape):
    uuid = serializers.UUIDField()
    code = serializers.CharField(help_text="16 digits. This is the only time they are shown.")


class RequestRecord(ModelRecord):
    account = AccountNumber(read_only=True)
    mac = MacText(read_only=True)
    user = RowUuid(read_only=True, allow_null=True, help_text="Who showed their PIN.")
    code = RowUuid(read_only=True, allow_null=True, help_text="The activation code that was used.")
    profile = RowUuid(read_only=True, allow_null=True)
    replaces = RowUuid(read_only=True, allow_null=True, help_text="The phone that the new one is to become.")
    phone = RowUuid(read_only=True, allow_null=True)
    deployment = RowUuid(read_only=True, allow_null=True)

    class Meta:
        model = EnrolmentRequest
        fields = [
            *("uuid", "account", "mac", "address", "model", "user", "code", "profile", "replaces", "state", "reason"),
            *("phone", "deployment", "created_at", "decided_at", "decided_by"),
        ]
        read_only_fields = fields


class EnrolmentRefusal(Shape):
    reason = Text(required=False, allow_blank=True, max_length=255, help_text="The phone shows it.")


class ReplacementRequest(Shape):
    new_mac = MacText(help_text="Of the new handset.")
    model = Text(required=False, allow_blank=True, max_length=64, help_text="Of the new handset; left out: the same.")
    profile_uuid = serializers.UUIDField(required=False, help_text="Left out: the present one.")
    reason = Text(required=False, allow_blank=True, max_length=255, help_text="For the history.")
    dry_run = serializers.BooleanField(default=False)


class ReplacementShape(Shape):
    mac = MacText()
    model = serializers.CharField()
    profile = serializers.CharField(allow_null=True)
    lacks = serializers.ListField(child=serializers.CharField(), help_text="Keys that the new model has no place for.")
    warnings = serializers.ListField(child=serializers.CharField(), help_text="What the checker says of the new model.")
    refused = serializers.CharField(allow_null=True, help_text="After a dry run: why nothing would be done.")
    deployment = serializers.CharField(allow_null=True, help_text="UUID; null after a dry run or without a profile.")


CODES = envelope("EnrolmentCodesMade", MadeCode, many=True)
REQUEST = envelope("EnrolmentRequest", RequestRecord)
REPLACED = envelope("PhoneReplacement", ReplacementShape)


class EnrolmentCodes(Listed, Retrieved, FamilyViewSet):
    queryset = EnrolmentCode.objects.select_related("account", "phone", "profile")
    serializer_class = CodeRecord
    thing = "Activation code"
    name_in_document = "EnrolmentCode"
    rights = {"create": ("phones_app.add_enrolmentcode", MAY_SEE_PROFILES)}
    messages = {"destroy": "Activation code deleted"}
    descriptions = {"list": "Activation codes, the newest first, without their digits.", "retrieve": "One of them."}

    @extend_schema(request=CodesRequest, responses=answers(201, CODES, 400, 404, 409))
    def create(self, request: Request) -> Response:
        """Make activation codes. Each is good for one phone; the digits are shown this once."""
        wanted = self.sent(body=CodesRequest)
        mac, uuid = wanted.get("mac"), wanted.get("profile_uuid")
        phones = self.actor.sees(Phone.objects.select_related("account", "current_profile__user"))
        phone = find(phones, "Phone", mac=mac) if mac else None
        profile = profile_of(self.actor, uuid) if uuid else None
        account = phone.account if phone else self.actor.account or (profile and profile.user.account)
        if not account:
            raise ValidationError({"profile_uuid": "Name a phone, or a profile that belongs to an account."})
        made = enrolment.make_codes(
            account=account,
            phone=phone,
            profile=profile,
            name=wanted.get("name", ""),
            location=wanted.get("location", ""),
            count=wanted["count"],
            expires_at=timezone.now() + timedelta(days=wanted["days"]),
            actor=self.actor,
        )
        self.message = f"{len(made)} activation code(s) made"
        return Response(MadeCode([{"uuid": row.uuid, "code": text} for row, text in made], many=True).data, status=201)

    @extend_schema(responses=answers(200, envelope("EnrolmentCodeDeleted", CodeRecord), 404))
    def destroy(self, request: Request, uuid: str) -> Response:
        """Delete a code: it is good for nothing any more."""
        row = self.get_object()
        shown = self.shown(row)
        row.delete()
        return Response(shown)


class EnrolmentRequests(Listed, Retrieved, FamilyViewSet):
    queryset = EnrolmentRequest.objects.select_related(
        "account", "user", "code", "profile", "replaces", "phone", "deployment"
    )
    serializer_class = RequestRecord
    thing = "Enrolment request"
    name_in_document = "EnrolmentRequest"
    rights = dict.fromkeys(("approve", "refuse"), "change")
    messages = {"approve": "Phone enrolled", "refuse": "Phone refused"}
    descriptions = {"list": "What was asked for at new phones, the newest first.", "retrieve": "One of them."}

    @extend_schema(request=None, responses=answers(200, REQUEST, 404, 409))
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, uuid: str) -> Response:
        """Let the phone be enrolled, as was asked for."""
        enrolment.approve(self.get_object(), actor=self.actor)
        return Response(self.shown(self.get_object()))

    @extend_schema(request=EnrolmentRefusal, responses=answers(200, REQUEST, 400, 404, 409))
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, uuid: str) -> Response:
        """Refuse the phone. An activation code that was used stays used."""
        row = self.get_object()
        reason = self.sent(body=EnrolmentRefusal).get("reason", "")
        enrolment.refuse(row, actor=self.actor, reason=reason)
        return Response(self.shown(self.get_object()))


class PhoneReplacements(PhonesByMac):
    serializer_class = ReplacementShape
    rights = {"replace": ("phones_app.change_phone", MAY_DEPLOY)}

    @extend_schema(request=ReplacementRequest, responses=answers(200, REPLACED, 400, 404, 409))
    @action(detail=True, methods=["post"])
    def replace(self, request: Request, mac: str) -> Response:
        """Let another handset take the phone's place: settings, profile, groups and history stay with the phone.

        The old handset is retired, and its file deleted from its file server. With `dry_run` nothing is done.
        """
        phone = self.get_object()
        wanted = self.sent(body=ReplacementRequest)
        handset = Handset(wanted["new_mac"], wanted.get("model", ""))
        uuid = wanted.get("profile_uuid")
        profile = profile_of(self.actor, uuid) if uuid else None
        if wanted["dry_run"]:
            done, self.message = preview(phone, handset, profile), "Nothing was done"
        else:
            done = replace_handset(phone, handset, actor=self.actor, profile=profile, reason=wanted.get("reason", ""))
            self.message = "Handset replaced"
        return Response(ReplacementShape(done.as_dict()).data)
