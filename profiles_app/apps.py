from django.apps import AppConfig
from django.core import checks

from contacts_app.core.history.authorship import happened


class ProfilesConfig(AppConfig):
    name = "profiles_app"
    verbose_name = "Service profiles"

    def ready(self) -> None:
        from contacts_app.core.work.kind import register
        from profiles_app import models
        from profiles_app.events.delivery_run import Deliveries
        from profiles_app.events.outbox import emit_happened, tell_of_profiles
        from profiles_app.messaging.inbound import InboundMessages
        from profiles_app.myaccount.services import presets_are_readable

        checks.register(presets_are_readable)
        register(Deliveries, InboundMessages)
        happened.connect(emit_happened)
        tell_of_profiles(models.EventProfile, "event-profile")
        tell_of_profiles(models.MessagingProfile, "messaging-profile")
        tell_of_profiles(models.OutboundVoiceProfile, "outbound-voice-profile")
        tell_of_profiles(models.MyAccountProfile, "myaccount-profile")
