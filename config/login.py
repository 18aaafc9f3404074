"""The settings of logging in to the admin: passwords, single sign-on, the second factor (docs/log-in.md)."""

from config.environment import env

# --- Logging in --------------------------------------------------------------------------------------------------
# Whether passwords of this portal log people in. Off: only the provider of single sign-on does.
LOCAL_LOGIN = env.bool("LOCAL_LOGIN", default=True)
# Roles (names of groups, and `superuser`) whose people log in with a second factor. Others may.
SECOND_FACTOR_ROLES = [role.strip() for role in env.list("SECOND_FACTOR_ROLES", default=[])]

# --- Single sign-on by OpenID Connect -----------------------------------------------------------------------------
# The provider's own name for itself, as in its discovery document; empty: no single sign-on.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
# What the button on the log-in page says.
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
# Groups of the provider and the role (name of a group) that each gives here. {}: roles are given here alone.
OIDC_ROLES = env.json("OIDC_ROLES", default={})
# Which claim names the groups.
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
# By which claim the provider says that it has checked the e-mail address.
OIDC_EMAIL_VERIFIED_CLAIM = env.str("OIDC_EMAIL_VERIFIED_CLAIM", default="email_verified")
# Whether people who are not known here are made at their first log-in, if the provider gives them a role.
OIDC_CREATE_PEOPLE = env.bool("OIDC_CREATE_PEOPLE", default=False)
# After so long the provider is asked again (seconds): until then it cannot take a role away.
OIDC_SESSION_SECONDS = env.int("OIDC_SESSION_SECONDS", default=8 * 3600)
# Whether the second factor of this portal is asked for after the provider's log-in too.
OIDC_SECOND_FACTOR = env.bool("OIDC_SECOND_FACTOR", default=False)

# The credentials of the portal at the provider.
OIDC_RP_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_RP_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
# What is asked of the provider, and how its tokens are signed.
OIDC_RP_SCOPES = env.str("OIDC_SCOPES", default="openid email profile")
OIDC_RP_SIGN_ALGO = env.str("OIDC_SIGN_ALGORITHM", default="RS256")
OIDC_USE_PKCE = True
# How long the provider may take to answer to one request (seconds).
OIDC_TIMEOUT = env.float("OIDC_TIMEOUT", default=10.0)

# --- Who is asked, in this order ----------------------------------------------------------------------------------
LOCAL_BACKEND = "contacts_app.people.login.EmailOrUsernameBackend"
OIDC_BACKEND = "contacts_app.people.single_sign_on.SingleSignOnBackend"
# The login sessions of a backend that is not named here end.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    *([LOCAL_BACKEND] if LOCAL_LOGIN else []),
    *([OIDC_BACKEND] if OIDC_ISSUER else []),
]
