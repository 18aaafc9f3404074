"""WHAT: events and who is told, messaging, outbound voice and portal profiles, and the numbers that go by them."""

from profiles_app.models.callback import Callback
from profiles_app.models.customer_profile import CustomerProfile
from profiles_app.models.delivery import CallbackLane, Delivery, DeliveryAttempt
from profiles_app.models.event import Event
from profiles_app.models.event_profile import EventProfile
from profiles_app.models.inbound_message import InboundMessage
from profiles_app.models.listener import Listener, ListenerFilter, Subscription
from profiles_app.models.messaging_profile import MessagingProfile
from profiles_app.models.myaccount_profile import Availability, MyAccountProfile, MyAccountProfileGroup
from profiles_app.models.number_lease import NumberLease, StickySender
from profiles_app.models.outbound_voice_profile import OutboundVoiceProfile

__all__ = [
    "Availability",
    "Callback",
    "CallbackLane",
    "CustomerProfile",
    "Delivery",
    "DeliveryAttempt",
    "Event",
    "EventProfile",
    "InboundMessage",
    "Listener",
    "ListenerFilter",
    "MessagingProfile",
    "MyAccountProfile",
    "MyAccountProfileGroup",
    "NumberLease",
    "OutboundVoiceProfile",
    "StickySender",
    "Subscription",
]
