"""`/profile/outbound_voice/{uuid}/admission`: may this call be made? Refusals are answers (voice admission spec §1).

A PBX knows its profile by the UUID or by the six digits of its tech prefix. What only posts, as Asterisk's func_curl,
finds renewing and closing under names of their own.
"""

import re
from decimal import Decimal
from typing import Any, cast

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.reading import WholeRow
from contacts_app.core.api.rows import ROWS, Rows
from contacts_app.core.api.view import Instant, Text, uuid_in_url
from profiles_app.messaging.api.dialect import UUID_SCHEMA, MessagingSchema, MessagingViewSet, answers, envelope
from profiles_app.messaging.api.fields import FiniteNumber, Input, Whole
from profiles_app.voice.admission import CallRequest, admit, close, renew
from profiles_app.voice.models.admission import LONGEST_CALL_ID, LONGEST_PARTY, MONEY, Admission
from profiles_app.voice.models.profile import MAX_TECH_PREFIX, MIN_TECH_PREFIX, OutboundVoiceProfile
from profiles_app.voice.models.rates import PRICE
from profiles_app.voice.rates import with_default_table
from profiles_app.voice.wording import code_of, message_of

# A call lasts no longer than a month.
LONGEST_CALL = 31 * 24 * 3600
SIX_DIGITS = re.compile(r"[0-9]{6}")


WHOLE_PROFILE = WholeRow(OutboundVoiceProfile, "default_table")


class Amount(FiniteNumber):
    """US dollars, as the columns hold them."""

    def __init__(self, *, max_digits: int, decimal_places: int, **kwargs: Any) -> None:
        highest = 10 ** (max_digits - decimal_places) - 1
        super().__init__(**({"required": False, "allow_null": True, "min_value": 0, "max_value": highest} | kwargs))
        self.places = decimal_places

    def run_validation(self, data: Any = serializers.empty) -> Any:
        number = super().run_validation(data)
        return None if number is None else round(Decimal(repr(number)), self.places)


class PrefixCheck(Whole):
    """Six digits, as a number or as text: PBXs know text alone."""

    def to_internal_value(self, data: Any) -> int:
        is_text = isinstance(data, str) and SIX_DIGITS.fullmatch(data)
        return super().to_internal_value(int(data) if is_text else data)


class AdmissionInput(Input):
    destination = Text(max_length=LONGEST_PARTY, help_text="Number to be called, in international form.")
    caller = Text(
        required=False, allow_null=True, allow_blank=True, max_length=LONGEST_PARTY, help_text="Number that calls."
    )
    tech_prefix = PrefixCheck(
        required=False,
        allow_null=True,
        min_value=MIN_TECH_PREFIX,
        max_value=MAX_TECH_PREFIX,
        help_text="That of the profile: a check.",
    )
    call_id = Text(max_length=LONGEST_CALL_ID, help_text="The PBX's own name of the call.")
    rate = Amount(**PRICE, help_text="US dollars per minute; counts before the rate table.")


class RenewInput(Input):
    answered_on = serializers.DateTimeField(required=False, allow_null=True, help_text="When the call was answered.")


class CloseInput(Input):
    ended_on = serializers.DateTimeField(required=False, allow_null=True, help_text="Absent: now.")
    seconds = Whole(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=LONGEST_CALL,
        help_text="Billed; absent: from the answer to the end.",
    )
    cost = Amount(**MONEY, help_text="US dollars; absent: by the rate.")


class RecordOutput(serializers.Serializer[Any]):
    mode = serializers.IntegerField(help_text="0 none, 1 all, 2 by caller number.")
    on = serializers.BooleanField(help_text="Whether this call is to be recorded.")
    format = serializers.CharField(help_text="wav or mp3.")
    track = serializers.IntegerField(help_text="0 one track, 1 a track for each side.")


def record_of(made: Admission) -> dict[str, object]:
    profile = made.profile
    return {
        "mode": profile.record_calls,
        "on": made.is_recorded,
        "format": profile.file_format,
        "track": profile.audio_track_type,
    }


class AdmissionOutput(serializers.Serializer[Any]):
    """`reservation`, `expires_on` and `record` of a call that is admitted; `reason`, `code` and `message` of others."""

    allowed = serializers.BooleanField()
    reservation = serializers.UUIDField(required=False, help_text="Names the call from now on.")
    expires_on = Instant(required=False, help_text="When its channel is free, unless the reservation is renewed.")
    record = RecordOutput(required=False)
    reason = serializers.ChoiceField(required=False, choices=Admission.Reason.choices)
    code = serializers.CharField(required=False, help_text="As the provider's own, such as D2.")
    message = serializers.CharField(required=False)


class ReservationOutput(serializers.Serializer[Any]):
    """A call that was admitted, while it lasts and when it has ended."""

    reservation = serializers.UUIDField(source="uuid")
    call_id = serializers.CharField()
    expires_on = Instant(source="expires_at")
    answered_on = Instant(source="answered_at", allow_null=True)
    ended_on = Instant(source="ended_at", allow_null=True)
    seconds = serializers.IntegerField(allow_null=True)
    cost = serializers.FloatField(allow_null=True)


RESERVATION = answers(envelope("Reservation", ReservationOutput), 404, 409)
PROFILE = OpenApiParameter(
    "uuid", {"type": "string"}, OpenApiParameter.PATH, description="UUID of the profile, or its tech prefix."
)
IN_PATH = OpenApiParameter("reservation", UUID_SCHEMA, OpenApiParameter.PATH)


class AdmissionSchema(MessagingSchema):
    def get_override_parameters(self) -> list[Any]:
        return [PROFILE, IN_PATH] if "{reservation}" in self.path else [PROFILE]


class Admissions(MessagingViewSet):
    queryset = Admission.objects.filter(reason="").select_related("profile__account")
    schema = AdmissionSchema()
    thing = "Reservation"
    lookup_url_kwarg = "reservation"
    hurried = ("create",)
    rights = {"create": "add", "update": "change", "destroy": "change", "answered": "change", "ended": "change"}

    def named_profile(self) -> dict[str, object]:
        text = self.kwargs["uuid"]
        return {"tech_prefix": int(text)} if SIX_DIGITS.fullmatch(text) else {"uuid": uuid_in_url(text)}

    def profile(self) -> OutboundVoiceProfile:
        """The profile that the URL names, by a statement that is compiled once for all who see the same."""
        key = (WHOLE_PROFILE, self.seen_by())
        rows = ROWS.get(key)
        if rows is None:
            rows = ROWS.put(
                key, Rows(self.actor.sees(with_default_table(OutboundVoiceProfile.objects.all())), WHOLE_PROFILE)
            )
        found = rows.one(**self.named_profile())
        if found is None:
            raise NotFound("Outbound voice profile not found")
        return cast(OutboundVoiceProfile, WHOLE_PROFILE.show(found))

    def named(self) -> dict[str, Any]:
        profile = {f"profile__{name}": value for name, value in self.named_profile().items()}
        return super().named() | profile

    @extend_schema(request=AdmissionInput, responses=answers(envelope("Admission", AdmissionOutput), 404))
    def create(self, request: Request, uuid: str) -> Response:
        """Ask whether a call may be made. One that may has a channel until it is closed, or until `expires_on`."""
        profile = self.profile()
        sent = self.sent(body=AdmissionInput)
        if sent.pop("tech_prefix", None) not in (None, profile.tech_prefix):
            raise ValidationError({"tech_prefix": "Is that of another profile."})
        made = admit(profile, CallRequest(**sent | {"caller": sent.get("caller") or ""}))
        if made.reason:
            refused = {"reason": made.reason, "code": code_of(made), "message": message_of(made)}
            return Response({"allowed": False, **refused})
        expires = Instant().to_representation(made.expires_at)
        return Response(
            {"allowed": True, "reservation": str(made.uuid), "expires_on": expires, "record": record_of(made)}
        )

    @extend_schema(request=RenewInput, responses=RESERVATION)
    def update(self, request: Request, uuid: str, reservation: str) -> Response:
        """Keep the channel for another lease; say when the call was answered, once it was."""
        sent = self.sent(body=RenewInput)
        return self.now(renew(self.get_object(), answered_at=sent.get("answered_on")))

    @extend_schema(request=CloseInput, responses=RESERVATION)
    def destroy(self, request: Request, uuid: str, reservation: str) -> Response:
        """End the call: its channel is free, its cost is spent, its record is written. Once more changes nothing."""
        sent = self.sent(body=CloseInput)
        ended = {"ended_at": sent.get("ended_on"), "seconds": sent.get("seconds"), "cost": sent.get("cost")}
        return self.now(close(self.get_object(), **ended))

    @extend_schema(request=RenewInput, responses=RESERVATION)
    @action(detail=True, methods=["post"])
    def answered(self, request: Request, uuid: str, reservation: str) -> Response:
        """As PUT, for those who can only post."""
        return self.update(request, uuid, reservation)

    @extend_schema(request=CloseInput, responses=RESERVATION)
    @action(detail=True, methods=["post"])
    def ended(self, request: Request, uuid: str, reservation: str) -> Response:
        """As DELETE, for those who can only post."""
        return self.destroy(request, uuid, reservation)

    def now(self, made: Admission) -> Response:
        return Response(ReservationOutput(made).data)
