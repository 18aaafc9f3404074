"""The routes of /rest."""

from contacts_app.api.viewset import DialectRouter
from profiles_app.api.messaging.inbound_message import InboundMessages
from profiles_app.api.messaging.login import Auth
from profiles_app.api.messaging.messaging_profile import MessagingProfiles
from profiles_app.api.messaging.number_lease import NumberLeases
from profiles_app.api.messaging.outbound_voice_profile import OutboundVoiceProfiles
from profiles_app.api.messaging.token import Tokens

router = DialectRouter()
router.register("auth", Auth)
router.register("token", Tokens)
router.register("profile/messaging", MessagingProfiles)
router.register("profile/outbound_voice", OutboundVoiceProfiles)
router.register("lease/tn", NumberLeases)
router.register("sms", InboundMessages)
urlpatterns = router.urls
