from django.apps import AppConfig
from django.core import checks


class ProfilesConfig(AppConfig):
    name = "profiles_app"
    verbose_name = "Service profiles"

    def ready(self) -> None:
        from profiles_app.checks import presets_are_readable

        checks.register(presets_are_readable)
