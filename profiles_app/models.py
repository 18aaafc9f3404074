"""WHAT: events and who is told, messaging, outbound voice and portal profiles, numbers that go by them, and calls."""

from profiles_app.calls.models import CallRecord, DailyCallReport
from profiles_app.events.models.outbox import CallbackQueue, Delivery, DeliveryAttempt, Event
from profiles_app.events.models.setup import Callback, EventProfile, Listener, ListenerFilter, Subscription
from profiles_app.messaging.models import InboundMessage, MessagingProfile, NumberLease, StickySender
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway, OptOut
from profiles_app.myaccount.models import Availability, CustomerProfile, MyAccountProfile, MyAccountProfileGroup
from profiles_app.numbers.models import NumberOrder, StockNumber
from profiles_app.sip.models import NumberRouting, SipConnection, SipControlApp
from profiles_app.voice.models.admission import Admission, VoiceUsage
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.models.rates import Rate, RateTable

__all__ = [
    "Admission",
    "Availability",
    "CallRecord",
    "Callback",
    "CallbackQueue",
    "CustomerProfile",
    "DailyCallReport",
    "Delivery",
    "DeliveryAttempt",
    "Event",
    "EventProfile",
    "InboundMessage",
    "Listener",
    "ListenerFilter",
    "Message",
    "MessageAttempt",
    "MessageGateway",
    "MessagingProfile",
    "MyAccountProfile",
    "MyAccountProfileGroup",
    "NumberLease",
    "NumberOrder",
    "NumberRouting",
    "OptOut",
    "OutboundVoiceProfile",
    "Rate",
    "RateTable",
    "SipConnection",
    "SipControlApp",
    "StickySender",
    "StockNumber",
    "Subscription",
    "VoiceUsage",
]
