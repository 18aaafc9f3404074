from django.apps import AppConfig


class PhonesConfig(AppConfig):
    name = "phones_app"
    verbose_name = "Phones"
