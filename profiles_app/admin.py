"""The web admin's pages about the profiles of services and what goes by them."""

from contacts_app.core.admin import overview
from profiles_app.events.admin import overview as events
from profiles_app.events.admin.callback import CallbackAdmin
from profiles_app.events.admin.delivery import DeliveryAdmin, EventAdmin
from profiles_app.events.admin.listener import EventProfileAdmin, ListenerAdmin
from profiles_app.messaging.admin.numbers import InboundMessageAdmin, NumberLeaseAdmin, StickySenderAdmin
from profiles_app.messaging.admin.profile import MessagingProfileAdmin
from profiles_app.myaccount.admin.customer import AccountWithProfileAdmin, CustomerProfileAdmin
from profiles_app.myaccount.admin.profile import MyAccountProfileAdmin
from profiles_app.voice.admin import OutboundVoiceProfileAdmin

overview.register(events.panels)

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
