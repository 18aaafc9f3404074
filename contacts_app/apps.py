"""What accounts, people and contacts register with the ground."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts_app"
    verbose_name = "Accounts and people"

    def ready(self) -> None:
        # Imported here, because models can be imported only when all apps are loaded.
        from contacts_app.accounts.services import register_follower
        from contacts_app.contacts.mail_sending import Mails
        from contacts_app.contacts.services import main_contact_follows
        from contacts_app.core.api.authentication import register_credential
        from contacts_app.core.work.kind import register
        from contacts_app.tokens.credentials import api_token, login_session, password

        # An API token is known by its prefix; every other bearer is taken for that of a login.
        register_credential("bearer", api_token)
        register_credential("bearer", login_session)
        register_credential("basic", password)
        register(Mails)
        register_follower(main_contact_follows)
