from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts_app"
    verbose_name = "Accounts and people"
