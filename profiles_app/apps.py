"""What profiles register with the ground and with the app below."""

from django.apps import AppConfig
from django.core import checks

from contacts_app.core.history.authorship import happened


class ProfilesConfig(AppConfig):
    name = "profiles_app"
    verbose_name = "Service profiles"

    def ready(self) -> None:
        # Imported here, because models can be imported only when all apps are loaded.
        from contacts_app.contacts.mail import register_link
        from contacts_app.contacts.models.contact import register as register_classes
        from contacts_app.core import retention
        from contacts_app.core.doctor import checks as doctor
        from contacts_app.core.doctor.installation import ADVICE, INSTALLATION_TAG, wide_networks
        from contacts_app.core.tally.service import register as keep_numbers
        from contacts_app.core.work.kind import register
        from contacts_app.people.pins import register_numbers
        from profiles_app import models
        from profiles_app.calls.daily import DAILY_CALLS, DailyCalls
        from profiles_app.calls.services import CALLS
        from profiles_app.events import tags
        from profiles_app.events.callback_health import CALLBACK_DEREGISTERED, CALLBACK_FAILING
        from profiles_app.events.delivery_operations import EVENTS
        from profiles_app.events.delivery_run import LAST_DAY, Deliveries
        from profiles_app.events.outbox import TOLD_OF_TOKENS, emit_happened, register_news, tell_of_profiles
        from profiles_app.messaging.inbound import InboundMessages, take_delivered
        from profiles_app.messaging.sending import upkeep
        from profiles_app.messaging.sending.gateways.smpp import register_inbound
        from profiles_app.messaging.sending.work import GatewayVisits, OutboundMessages
        from profiles_app.myaccount.access import portal_table_is_readable
        from profiles_app.myaccount.password_links import PASSWORD_MARK, password_link
        from profiles_app.myaccount.portal.operator import links_are_readable, operator_is_shown
        from profiles_app.myaccount.services import presets_are_readable
        from profiles_app.phone.models import PhoneProfile
        from profiles_app.phone.services import numbers_of
        from profiles_app.voice import spending
        from profiles_app.voice.lost_calls import ADMISSIONS, LostCalls

        checks.register(presets_are_readable, INSTALLATION_TAG)
        checks.register(portal_table_is_readable, INSTALLATION_TAG)
        checks.register(operator_is_shown, INSTALLATION_TAG)
        checks.register(links_are_readable, INSTALLATION_TAG)
        keep_numbers(LAST_DAY)
        register(Deliveries, InboundMessages, OutboundMessages, GatewayVisits, DailyCalls)
        register_inbound(take_delivered)
        retention.register(EVENTS, CALLS, upkeep.KEPT)
        doctor.register(doctor.HealthCheck("callback networks", lambda: wide_networks("CALLBACK_NETWORKS"), ADVICE))
        doctor.register(doctor.HealthCheck("gateway networks", lambda: wide_networks("GATEWAY_NETWORKS"), ADVICE))
        doctor.register(upkeep.CHECK)
        register_classes(CALLBACK_FAILING, CALLBACK_DEREGISTERED, DAILY_CALLS)
        register_link(PASSWORD_MARK, password_link)
        happened.connect(emit_happened)
        register_numbers(numbers_of)
        register_news(TOLD_OF_TOKENS)
        register(LostCalls)
        retention.register(ADMISSIONS)
        register_news(spending.TOLD)
        tags.register(*spending.TAGS)
        tell_of_profiles(
            {
                PhoneProfile: "phone-profile",
                models.EventProfile: "event-profile",
                models.MessagingProfile: "messaging-profile",
                models.OutboundVoiceProfile: "outbound-voice-profile",
                models.MyAccountProfile: "myaccount-profile",
            }
        )
