from django.apps import AppConfig
from django.core import checks

from contacts_app.signals import happened


class ProfilesConfig(AppConfig):
    name = "profiles_app"
    verbose_name = "Service profiles"

    def ready(self) -> None:
        from profiles_app.checks import presets_are_readable
        from profiles_app.services.event import emit_happened

        checks.register(presets_are_readable)
        happened.connect(emit_happened)
