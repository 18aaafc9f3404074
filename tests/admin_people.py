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
    permissions = Permission.objects.filter(content_type__app_label__in=OURS).exclude(codename=without)
    # The third of a thousand rows at once: `set` looks for those that are there first, and tells everybody of each.
    given = User.user_permissions.through
    given.objects.bulk_create(
        [given(user_id=user.pk, permission_id=key) for key in permissions.values_list("pk", flat=True)]
    )
    return user
