"""The routes of /rest."""

from django.urls import path

from contacts_app.core.api.viewset import DialectRouter
from profiles_app.messaging.api.login import Auth, Tokens
from profiles_app.messaging.api.messaging_profile import MessagingProfiles
from profiles_app.messaging.api.number_lease import InboundMessages, NumberLeases
from profiles_app.voice.api import OutboundVoiceProfiles

router = DialectRouter()
router.register("token", Tokens)
router.register("profile/messaging", MessagingProfiles)
router.register("profile/outbound_voice", OutboundVoiceProfiles)
router.register("lease/tn", NumberLeases)
router.register("sms", InboundMessages)
urlpatterns = [path("auth", Auth.as_view({"get": "retrieve"})), *router.urls]
