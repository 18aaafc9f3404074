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
        from contacts_app.core.work.kind import register
        from contacts_app.people.pins import register_numbers
        from profiles_app import models
        from profiles_app.calls.services import CALLS
        from profiles_app.events.callback_health import CALLBACK_DEREGISTERED, CALLBACK_FAILING
        from profiles_app.events.delivery_operations import EVENTS
        from profiles_app.events.delivery_run import Deliveries
        from profiles_app.events.outbox import TOLD_OF_TOKENS, emit_happened, register_news, tell_of_profiles
        from profiles_app.messaging.inbound import InboundMessages
        from profiles_app.myaccount.access import portal_table_is_readable
        from profiles_app.myaccount.password_links import PASSWORD_MARK, password_link
        from profiles_app.myaccount.portal.operator import links_are_readable, operator_is_shown
        from profiles_app.myaccount.services import presets_are_readable
        from profiles_app.phone.models import PhoneProfile
        from profiles_app.phone.services import numbers_of

        checks.register(presets_are_readable, INSTALLATION_TAG)
        checks.register(portal_table_is_readable, INSTALLATION_TAG)
        checks.register(operator_is_shown, INSTALLATION_TAG)
        checks.register(links_are_readable, INSTALLATION_TAG)
        register(Deliveries, InboundMessages)
        retention.register(EVENTS, CALLS)
        doctor.register(doctor.HealthCheck("callback networks", lambda: wide_networks("CALLBACK_NETWORKS"), ADVICE))
        register_link(PASSWORD_MARK, password_link)
        register_classes(CALLBACK_FAILING, CALLBACK_DEREGISTERED)
        happened.connect(emit_happened)
        register_numbers(numbers_of)
        register_news(TOLD_OF_TOKENS)
        tell_of_profiles(
            {
                PhoneProfile: "phone-profile",
                models.EventProfile: "event-profile",
                models.MessagingProfile: "messaging-profile",
                models.OutboundVoiceProfile: "outbound-voice-profile",
                models.MyAccountProfile: "myaccount-profile",
            }
        )
