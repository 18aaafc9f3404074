"""People at the web admin: Root may do everything, a clerk everything within one account but see passwords."""

from django.contrib.auth.models import Permission
from django.test import Client

from contacts_app.accounts.models import Account
from contacts_app.people.models import User

OURS = ("contacts_app", "phones_app", "profiles_app")


def at_desk(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="contacts_app.people.login.EmailOrUsernameBackend")
    return client


def clerk(account: Account, email: str = "clerk@acme.example", without: str = "reveal_secrets") -> User:
    """Staff of an account with every permission on our own tables but one."""
    user = User.objects.create_user(email, "correct horse", account=account, is_staff=True, permission_level=0)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=OURS).exclude(codename=without))
    return user
