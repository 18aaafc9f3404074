"""The routes of /rest."""

from django.urls import path

from contacts_app.core.api.viewset import DialectRouter
from profiles_app.messaging.api.login import MessagingLogin, MessagingTokens
from profiles_app.messaging.api.messaging_profile import MessagingProfiles
from profiles_app.messaging.api.number_lease import InboundMessageViewSet
from profiles_app.messaging.api.receipts import Receipts
from profiles_app.messaging.api.sms import Messages
from profiles_app.numbers.api.leases import NumberLeases
from profiles_app.numbers.api.orders import NumberOrders, StockNumbers
from profiles_app.sip.api.connections import SipConnections, SipControlApps
from profiles_app.voice.api.admission import Admissions
from profiles_app.voice.api.profile import OutboundVoiceProfiles

router = DialectRouter()
router.register("token", MessagingTokens)
router.register("profile/messaging", MessagingProfiles)
router.register("profile/outbound_voice", OutboundVoiceProfiles)
router.register("profile/outbound_voice/<str:uuid>/admission", Admissions)
router.register("lease/tn", NumberLeases)
router.register("tn", StockNumbers)
router.register("tnorder", NumberOrders)
router.register("sip/connection", SipConnections)
router.register("sip/app", SipControlApps)
# Its words come before the UUIDs of messages.
router.register("sms", InboundMessageViewSet)
router.register("sms", Messages)
router.register("sms", Receipts)
urlpatterns = [path("auth", MessagingLogin.as_view({"get": "retrieve"})), *router.urls]
