"""What accounts, people and contacts register with the ground."""

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_delete


class ContactsConfig(AppConfig):
    name = "contacts_app"
    verbose_name = "Accounts and people"

    def ready(self) -> None:
        # Imported here, because models can be imported only when all apps are loaded.
        from contacts_app.accounts.models import Account, Extension
        from contacts_app.accounts.services import register_follower
        from contacts_app.contacts.mail import MAILS
        from contacts_app.contacts.mail_sending import Mails
        from contacts_app.contacts.services import main_contact_follows
        from contacts_app.core import retention
        from contacts_app.core.actor import forget_actors
        from contacts_app.core.api.authentication import register_credential
        from contacts_app.core.doctor import checks as doctor
        from contacts_app.core.doctor.installation import CHECKS
        from contacts_app.core.doctor.settings import unsafe_settings
        from contacts_app.core.history.authorship import recorded
        from contacts_app.core.history.records import HISTORY
        from contacts_app.core.work.kind import register
        from contacts_app.people.models import LoginSession, User
        from contacts_app.people.services import ADMINISTRATORS
        from contacts_app.tokens.credentials import api_token, login_session, password
        from contacts_app.tokens.models import ApiToken

        # An API token is known by its prefix; every other bearer is taken for that of a login.
        register_credential("bearer", api_token)
        register_credential("bearer", login_session)
        register_credential("basic", password)
        # What ends a login session without a row of history says so itself.
        for model in (ApiToken, User, Account, Extension):
            recorded.connect(forget_actors, sender=model)
        post_delete.connect(forget_actors, sender=LoginSession)
        register(Mails)
        checks.register(unsafe_settings, checks.Tags.security, deploy=True)
        doctor.register(*CHECKS, ADMINISTRATORS, retention.CHECK)
        retention.register(MAILS, HISTORY)
        register_follower(main_contact_follows)
