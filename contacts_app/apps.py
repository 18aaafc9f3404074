from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts_app"
    verbose_name = "Accounts and people"

    def ready(self) -> None:
        from contacts_app.core.work.kind import register
        from contacts_app.services.mail_sending import Mails

        register(Mails)
