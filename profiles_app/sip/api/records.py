"""SIP connections and control apps as other records show them: without what would lead back to these."""

from rest_framework import serializers

from profiles_app.messaging.api.fields import Shown
from profiles_app.sip.models import SipConnection, SipControlApp
from profiles_app.voice.models.profile import OutboundVoiceProfile

SIP_FIELDS = ("name", "is_active", "subdomain", "outbound_voice_profile")
# What the provider's own switch knows of each.
EGRESS = ("class4_egress_trunk_id", "class4_egress_trunk_settings", "class4_egress_resource_ip_id")
INGRESS = ("class4_ingress_trunk_id", "class4_ingress_trunk_settings", "class4_ingress_resource_ip_id")
APP_FIELDS = (*SIP_FIELDS, *EGRESS)
CONNECTION_FIELDS = (*SIP_FIELDS, "tech_prefix", "product", "ip", "port", *INGRESS, *EGRESS, "class4_trunk_prefix_id")


class VoiceProfileBrief(serializers.ModelSerializer[OutboundVoiceProfile]):
    class Meta:
        model = OutboundVoiceProfile
        fields = ["uuid", "name", "tech_prefix"]


class TechPrefix(serializers.IntegerField):
    """That of the outbound voice profile."""

    def __init__(self) -> None:
        super().__init__(source="outbound_voice_profile.tech_prefix", allow_null=True, read_only=True)


class SipControlAppBrief(Shown):
    outbound_voice_profile = VoiceProfileBrief(allow_null=True)

    class Meta:
        model = SipControlApp
        fields = ["created_on", "modified_on", "uuid", *APP_FIELDS]


class SipConnectionBrief(Shown):
    outbound_voice_profile = VoiceProfileBrief(allow_null=True)
    tech_prefix = TechPrefix()

    class Meta:
        model = SipConnection
        fields = ["created_on", "modified_on", "uuid", *CONNECTION_FIELDS]
