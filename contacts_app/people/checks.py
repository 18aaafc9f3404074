"""What `manage.py check` finds wrong with the settings of logging in (config/login.py)."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from contacts_app.core.doctor.installation import INSTALLATION_TAG
from contacts_app.core.values import zone_named
from contacts_app.people.second_factor import SUPERUSER


def check_login(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not (settings.LOCAL_LOGIN or settings.OIDC_ISSUER):
        hint = "Set OIDC_ISSUER, or LOCAL_LOGIN=on."
        found.append(
            Error("Nobody can log in: there is no single sign-on, and LOCAL_LOGIN is off.", hint, id="login.E001")
        )
    if settings.OIDC_ISSUER and not (settings.OIDC_RP_CLIENT_ID and settings.OIDC_RP_CLIENT_SECRET):
        hint = "The provider shows both where the portal is registered as a client."
        found.append(Error("OIDC_CLIENT_ID or OIDC_CLIENT_SECRET is not set.", hint, id="login.E002"))
    roles = settings.OIDC_ROLES
    if not (isinstance(roles, dict) and all(isinstance(role, str) for role in roles.values())):
        hint = 'For instance OIDC_ROLES=\'{"pbx-admins": "Administrator"}\'.'
        found.append(Error("OIDC_ROLES maps no groups of the provider to roles.", hint, id="login.E003"))
    if zone_named(settings.DEFAULT_TIME_ZONE) is None:
        hint = "A name as Europe/Berlin; without it the time zone is UTC."
        found.append(Error("DEFAULT_TIME_ZONE names no time zone.", hint, id="login.E004"))
    return found


def check_login_for_deployment(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    if not settings.OIDC_ISSUER.startswith("http://"):
        return []
    hint = "Who is on the way to the provider can log in as anybody: use an https address."
    return [Warning("OIDC_ISSUER is not encrypted.", hint, id="login.W001")]


def check_roles(app_configs: object, databases: object = None, **kwargs: object) -> list[CheckMessage]:
    """A role that is misspelt would give nobody anything, and demand a second factor of nobody."""
    given = settings.OIDC_ROLES.values() if isinstance(settings.OIDC_ROLES, dict) else ()
    named = {*settings.SECOND_FACTOR_ROLES, *given} - {SUPERUSER}
    if not databases:
        return []
    try:
        missing = named - set(Group.objects.filter(name__in=named).values_list("name", flat=True))
    except DatabaseError:  # Before the first migration.
        return []
    hint = "Groups are listed in the admin under Accounts and people; upper and lower case count."
    text = "SECOND_FACTOR_ROLES or OIDC_ROLES names a group that is not there: {}."
    return [Warning(text.format(name), hint, id="login.W002") for name in sorted(missing)]


def register_checks() -> None:
    register(check_login, "login", INSTALLATION_TAG)
    register(check_login_for_deployment, "login", INSTALLATION_TAG, deploy=True)
    register(check_roles, Tags.database, INSTALLATION_TAG)
