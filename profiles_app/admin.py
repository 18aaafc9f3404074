"""The web admin's pages about profiles: of events, messages, calls, portals and phones."""

import profiles_app.calls.admin
import profiles_app.events.admin.callback
import profiles_app.events.admin.delivery
import profiles_app.events.admin.listener
import profiles_app.messaging.admin.gateway
import profiles_app.messaging.admin.messages
import profiles_app.messaging.admin.numbers
import profiles_app.messaging.admin.profile
import profiles_app.myaccount.admin.customer
import profiles_app.myaccount.admin.profile
import profiles_app.numbers.admin
import profiles_app.phone.admin.key_layout
import profiles_app.phone.admin.profile
import profiles_app.phone.admin.template
import profiles_app.sip.admin
import profiles_app.voice.admin.admission
import profiles_app.voice.admin.profile
import profiles_app.voice.admin.rates
from contacts_app.core.admin import overview
from profiles_app.events.admin import overview as events

overview.register(events.panels)
