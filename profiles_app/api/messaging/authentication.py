"""How credentials come to /rest: also as query parameters, and `Authorization` counts first (messaging spec §2)."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from contacts_app.api.authentication import (
    CredentialAuthentication,
    authorization,
    in_query,
    x_auth_token,
)


class MessagingAuthentication(CredentialAuthentication):
    carriers = (authorization, x_auth_token, in_query("jwt"), in_query("bearer"))


class MessagingScheme(OpenApiAuthenticationExtension):
    target_class = MessagingAuthentication
    # Every class of its own has to name its schemes anew.
    name = ["restBearer", "restToken", "restBasic", "restJwt", "restBearerInQuery"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "An API token, or the access token of a login.",
            },
            {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "As bearer."},
            {"type": "http", "scheme": "basic", "description": "Email or user name, and password."},
            {"type": "apiKey", "in": "query", "name": "jwt", "description": "As bearer."},
            {"type": "apiKey", "in": "query", "name": "bearer", "description": "As bearer."},
        ]
