"""Cookies as a credential of /api/2.0, beside those of any dialect (notification contacts spec §6)."""

import hmac
from typing import Any, ClassVar
from urllib.parse import urlsplit

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from contacts_app.core.api.authentication import (
    SAFE_METHODS,
    Carrier,
    CredentialAuthentication,
    CredentialScheme,
    authorization,
    x_auth_token,
)
from contacts_app.people.login import csrf_token

SESSION, CSRF = "sessionid", "csrftoken"


def session_cookie(request: Request) -> tuple[str, str] | None:
    token = request.COOKIES.get(SESSION, "")
    return ("cookie", token) if token else None


class CookieAuthentication(CredentialAuthentication):
    """Credentials of any kind, or else the cookies of a login.

    A browser sends cookies along with whatever page asks, so a change needs the token that only our answers told, and
    must not come from a page of elsewhere.
    """

    carriers: ClassVar[tuple[Carrier, ...]] = (x_auth_token, authorization, session_cookie)
    schemes = (*CredentialAuthentication.schemes, "cookie")

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        by_header = x_auth_token(request) or authorization(request)
        if found and not by_header and request.method not in SAFE_METHODS:
            told, sent = csrf_token(found[0].session_uuid), request.META.get("HTTP_X_CSRFTOKEN", "")
            if not hmac.compare_digest(told.encode(), sent.encode()):
                raise PermissionDenied("A change by cookies needs X-CSRFToken, the value of the cookie csrftoken")
            for header in ("HTTP_ORIGIN", "HTTP_REFERER"):
                origin = request.META.get(header)
                if origin and urlsplit(origin).netloc != request.get_host():
                    raise PermissionDenied("A change by cookies cannot come from another site")
        return found


class CookieScheme(CredentialScheme):  # type: ignore[no-untyped-call]
    """With the cookies, which come in a pair."""

    target_class = CookieAuthentication
    # Every class of its own has to name its schemes anew.
    name = ["contactsBearer", "contactsToken", "contactsBasic", "contactsCookie"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, object]]:
        cookie: dict[str, object] = {
            "type": "apiKey",
            "in": "cookie",
            "name": SESSION,
            "description": "Of a login; changes also need its csrftoken as X-CSRFToken.",
        }
        return [*super().get_security_definition(auto_schema), cookie]
