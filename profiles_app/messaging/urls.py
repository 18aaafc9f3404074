"""The routes of /rest."""

from django.urls import path

from contacts_app.core.api.viewset import DialectRouter
from profiles_app.messaging.api.login import MessagingLogin, MessagingTokens
from profiles_app.messaging.api.messaging_profile import MessagingProfiles
from profiles_app.messaging.api.number_lease import InboundMessageViewSet, NumberLeases
from profiles_app.voice.api import OutboundVoiceProfiles

router = DialectRouter()
router.register("token", MessagingTokens)
router.register("profile/messaging", MessagingProfiles)
router.register("profile/outbound_voice", OutboundVoiceProfiles)
router.register("lease/tn", NumberLeases)
router.register("sms", InboundMessageViewSet)
urlpatterns = [path("auth", MessagingLogin.as_view({"get": "retrieve"})), *router.urls]
