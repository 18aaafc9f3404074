"""The dialect of /rest: its envelope, its errors, and what all its views have in common (messaging spec §3)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response

from contacts_app.api.dialect import Conflict, Dialect
from contacts_app.api.rights import Manages
from contacts_app.api.rows import find, uuid_in_url
from contacts_app.api.view import DialectView
from contacts_app.models import Account
from contacts_app.services.errors import Refusal
from profiles_app.api.messaging.authentication import MessagingAuthentication

# Every other refusal conflicts with the present state.
REFUSED_AS_ABSENT = ("no-sender", "other-account")


class MessagingDialect(Dialect):
    """`{"success": false, "message": …, "status": …}`; the status is that of the answer."""

    prefixes = ("/rest/",)

    def error(self, status_code: int, message: str, fields: Mapping[str, list[str]]) -> dict[str, Any]:
        return {"success": False, "message": message, "status": status_code}


class MessagingView(DialectView):
    """A view of this dialect, unless it says otherwise for those who may do everything in their scope."""

    dialect = MessagingDialect()
    authentication_classes = [MessagingAuthentication]
    permission_classes = [Manages]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refusal):
            exc = NotFound(exc.message) if exc.code in REFUSED_AS_ABSENT else Conflict(exc.message)
        return super().handle_exception(exc)

    def account_named(self) -> Account | None:
        """The account of the actor. Staff have none, so they may name one by its UUID with `?account=`."""
        named = self.request.query_params.get("account")
        uuid = None if named is None else uuid_in_url(named, "account")
        if self.actor.account is not None or uuid is None:
            return self.actor.account
        return find(Account.objects.all(), "Account", uuid=uuid)

    def account_of_new(self) -> Account:
        account = self.account_named()
        if account is None:
            raise ValidationError({"account": "Staff say whose it is to be: ?account=UUID"})
        return account

    def visible(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        """The actor's rows; of staff those of all accounts, or of the one they name."""
        account = self.account_named()
        seen = self.actor.sees(rows)
        return seen if account is None else seen.filter(account=account)

    def uuid_anywhere(self) -> UUID | None:
        """The UUID in the query or in the body, for the URLs that the document prints without (messaging spec §4)."""
        if not settings.MESSAGING_UUID_ANYWHERE:
            return None
        text = self.request.query_params.get("uuid")
        if text is None and self.request.method != "GET" and isinstance(self.request.data, Mapping):
            text = self.request.data.get("uuid")
        if text is None:
            return None
        return uuid_in_url(text if isinstance(text, str) else "")


def answer(payload: Any, status: int = 200) -> Response:
    return Response({"success": True, "payload": payload}, status=status)


def created(payload: Any) -> Response:
    return answer(payload, settings.MESSAGING_CREATED_STATUS)
