"""What accounts, people and contacts register with the ground."""

from django.apps import AppConfig
from django.db.models.signals import m2m_changed, post_delete


class ContactsConfig(AppConfig):
    name = "contacts_app"
    verbose_name = "Accounts and people"

    def ready(self) -> None:
        # Imported here, because models can be imported only when all apps are loaded.
        from django.contrib.auth.models import Group

        from contacts_app.accounts.models import Account, Extension
        from contacts_app.accounts.services import register_follower
        from contacts_app.contacts.mail_sending import Mails
        from contacts_app.contacts.services import main_contact_follows
        from contacts_app.core.actor import forget_actors
        from contacts_app.core.api.authentication import register_credential
        from contacts_app.core.history.authorship import recorded
        from contacts_app.core.work.kind import register
        from contacts_app.people.models import LoginSession, User
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
        # What staff may do is remembered with them.
        post_delete.connect(forget_actors, sender=Group)
        m2m_changed.connect(forget_actors, sender=Group.permissions.through)
        register(Mails)
        register_follower(main_contact_follows)
