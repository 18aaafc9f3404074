from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    name = "profiles_app"
    verbose_name = "Service profiles"
