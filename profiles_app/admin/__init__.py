"""The web admin's pages about the profiles of services and what goes by them."""

from profiles_app.admin.callback import CallbackAdmin
from profiles_app.admin.customer_profile import AccountWithProfileAdmin, CustomerProfileAdmin
from profiles_app.admin.delivery import DeliveryAdmin, EventAdmin
from profiles_app.admin.events_object import EventProfileAdmin
from profiles_app.admin.inbound_message import InboundMessageAdmin
from profiles_app.admin.listener import ListenerAdmin
from profiles_app.admin.messaging_profile import MessagingProfileAdmin
from profiles_app.admin.myaccount_profile import MyAccountProfileAdmin
from profiles_app.admin.number_lease import NumberLeaseAdmin, StickySenderAdmin
from profiles_app.admin.outbound_voice_profile import OutboundVoiceProfileAdmin

__all__ = [
    "AccountWithProfileAdmin",
    "CallbackAdmin",
    "CustomerProfileAdmin",
    "DeliveryAdmin",
    "EventAdmin",
    "EventProfileAdmin",
    "InboundMessageAdmin",
    "ListenerAdmin",
    "MessagingProfileAdmin",
    "MyAccountProfileAdmin",
    "NumberLeaseAdmin",
    "OutboundVoiceProfileAdmin",
    "StickySenderAdmin",
]
