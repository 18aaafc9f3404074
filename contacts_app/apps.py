"""What accounts, people and contacts register with the ground."""

from django.apps import AppConfig, apps
from django.core import checks
from django.db.models.signals import m2m_changed, post_delete


class ContactsConfig(AppConfig):
    name = "contacts_app"
    verbose_name = "Accounts and people"

    def ready(self) -> None:
        # Imported here, because models can be imported only when all apps are loaded.
        from django.contrib.auth.models import Group

        from contacts_app.accounts.models import Account, Extension
        from contacts_app.accounts.services import register_follower
        from contacts_app.contacts.mail import MAILS
        from contacts_app.contacts.mail_sending import Mails
        from contacts_app.contacts.services import main_contact_follows
        from contacts_app.core import retention
        from contacts_app.core.actor import forget_actors
        from contacts_app.core.api.authentication import register_credential
        from contacts_app.core.api.kept_answers import OldAnswers
        from contacts_app.core.checks import networks_are_readable, unsafe_settings
        from contacts_app.core.doctor import checks as doctor
        from contacts_app.core.doctor.installation import CHECKS
        from contacts_app.core.history.authorship import recorded, when_changed
        from contacts_app.core.history.records import HISTORY
        from contacts_app.core.tally.service import Tallies
        from contacts_app.core.values import keep_to_one_line
        from contacts_app.core.work.kind import register
        from contacts_app.people.checks import register_checks
        from contacts_app.people.models import LoginSession, User
        from contacts_app.people.services import ADMINISTRATORS, password_changed
        from contacts_app.tokens.credentials import api_token, cookie_session, login_session, password
        from contacts_app.tokens.models import ApiToken

        # An API token is known by its prefix; every other bearer is taken for that of a login.
        register_credential("bearer", api_token)
        register_credential("bearer", login_session)
        register_credential("basic", password)
        register_credential("cookie", cookie_session)
        # What ends a login session without a row of history says so itself.
        for model in (ApiToken, User, Account, Extension):
            recorded.connect(forget_actors, sender=model)
        post_delete.connect(forget_actors, sender=LoginSession)
        when_changed(User, "password", call=password_changed)
        # What staff may do is remembered with them.
        post_delete.connect(forget_actors, sender=Group)
        m2m_changed.connect(forget_actors, sender=Group.permissions.through)
        keep_to_one_line(apps.get_models(include_auto_created=True))
        checks.register(networks_are_readable, checks.Tags.security)
        checks.register(unsafe_settings, checks.Tags.security, deploy=True)
        register_checks()
        register(Mails, OldAnswers, Tallies)
        doctor.register(*CHECKS, ADMINISTRATORS, retention.CHECK)
        retention.register(MAILS, HISTORY)
        register_follower(main_contact_follows)
