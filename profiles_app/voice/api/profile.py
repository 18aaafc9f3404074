"""`/profile/outbound_voice`: limits and recording of outbound calls, as both generations of the API spell them."""

from collections.abc import Collection
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.view import Text
from profiles_app.messaging.api.dialect import MessagingProfilesViewSet
from profiles_app.messaging.api.fields import (
    OWNED_FIELDS,
    OWNED_RELATIONS,
    FiniteNumber,
    Input,
    OwnedOutput,
    TrackType,
    Whole,
    WordFlag,
)
from profiles_app.messaging.api.number_lease import LeaseBrief, Reference
from profiles_app.messaging.models import NumberLease
from profiles_app.voice.models.profile import MAX_TECH_PREFIX, MIN_TECH_PREFIX, OutboundVoiceProfile, RecordingFormat
from profiles_app.voice.services import save_outbound_voice_profile

OR_NULL: dict[str, Any] = {"required": False, "allow_null": True}
COUNT: dict[str, Any] = OR_NULL | {"min_value": 0, "max_value": 2**31 - 1}
FORMAT: dict[str, Any] = {"required": False, "choices": RecordingFormat.choices}


class TrunkSettings(serializers.Serializer[Any]):
    media_type = serializers.ChoiceField(choices=OutboundVoiceProfile.Media.choices, required=False)


class OutboundVoiceProfileInput(Input):
    spellings = {
        "daily_spent_limit": "daily_spend_limit",
        "filemat": "file_format",
        "format": "file_format",
        "class4_ingress_trunk_settings": "media",
    }

    tech_prefix = Whole(
        **OR_NULL,
        min_value=MIN_TECH_PREFIX,
        max_value=MAX_TECH_PREFIX,
        help_text="No other profile may have it; absent: a free one.",
    )
    name = Text(max_length=255, help_text="A user-assigned name to help manage the profile.")
    channel_limit = FiniteNumber(
        **OR_NULL,
        min_value=0,
        help_text="Allows you to set a limit for outbound Concurrent Channels (1 call amounts to 1 channel)",
    )
    max_rate = FiniteNumber(**OR_NULL, min_value=0)
    record_calls = Whole(required=False, min_value=0, max_value=2, help_text="0 none, 1 all, 2 by caller number.")
    daily_spend_limit = FiniteNumber(**OR_NULL, min_value=0)
    daily_spent_limit = FiniteNumber(**OR_NULL, min_value=0, help_text="The same as `daily_spend_limit`.")
    filemat = serializers.ChoiceField(**FORMAT, help_text="Format of recordings.")
    file_format = serializers.ChoiceField(**FORMAT, help_text="The same as `filemat`.")
    format = serializers.ChoiceField(**FORMAT, help_text="The same as `filemat`.")
    audio_track_type = TrackType(required=False, help_text="0 one track, 1 a track for each side.")
    is_active = WordFlag(required=False)
    product = Whole(**COUNT)
    tn_lease = Reference(**OR_NULL, help_text="The number that calls show.")
    class4_ingress_trunk_settings = TrunkSettings(**OR_NULL)

    def validate_class4_ingress_trunk_settings(self, value: dict[str, str] | None) -> str:
        return (value or {}).get("media_type", "")

    def validate_tn_lease(self, value: Any) -> NumberLease | None:
        if value is None:
            return None
        profile: Any = self.instance
        lease = NumberLease.objects.filter(account=profile.account, uuid=value).first()
        if lease is None:
            raise serializers.ValidationError("No such TN lease.")
        return lease

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if attrs.get("tech_prefix", ...) is None:
            del attrs["tech_prefix"]
        return attrs


class Channels(serializers.FloatField):
    """A double, which comes back as a whole number where it is one."""

    def to_representation(self, value: float) -> float:  # type: ignore[override]
        return int(value) if float(value).is_integer() else value


class OutboundVoiceProfileOutput(OwnedOutput):
    needs = {"class4_ingress_trunk_settings": ("media",)}

    channel_limit = Channels(allow_null=True)
    max_rate = serializers.FloatField(allow_null=True)
    daily_spend_limit = serializers.FloatField(allow_null=True)
    filemat = serializers.CharField(source="file_format")
    tn_lease = LeaseBrief(allow_null=True)
    class4_ingress_trunk_settings = serializers.SerializerMethodField()
    sip_domains = serializers.ListField(default=list, read_only=True, child=serializers.DictField(), help_text="Empty.")

    class Meta:
        model = OutboundVoiceProfile
        fields = [
            *OWNED_FIELDS,
            *("name", "is_active", "tech_prefix", "channel_limit", "max_rate", "record_calls"),
            *("daily_spend_limit", "filemat", "audio_track_type", "product"),
            *("tn_lease", "class4_ingress_trunk_settings", "sip_domains"),
        ]

    def get_class4_ingress_trunk_settings(self, profile: OutboundVoiceProfile) -> dict[str, str] | None:
        return {"media_type": profile.media} if profile.media else None


@extend_schema_view(create=extend_schema(examples=examples_of(__file__, "create")))
class OutboundVoiceProfiles(MessagingProfilesViewSet):
    queryset = OutboundVoiceProfile.objects.select_related(*OWNED_RELATIONS, "tn_lease")
    serializer_class = OutboundVoiceProfileOutput
    body_class = OutboundVoiceProfileInput
    thing = "Outbound voice profile"
    name_in_document = "OutboundVoiceProfile"
    descriptions = {
        "list": "All outbound voice profiles, the oldest first; with `uuid` that one.",
        "create": "This will create a new outbound voice profile",
        "retrieve": "One outbound voice profile.",
        "partial_update": "Change what is sent.",
        "destroy": "Remove an outbound voice profile.",
    }
    conflicts = ("create", "partial_update", "update_named")

    def store(self, row: OutboundVoiceProfile, changed: Collection[str] | None) -> None:
        save_outbound_voice_profile(row, actor=self.actor, changed=changed)
