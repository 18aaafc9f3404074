"""What the routes of file servers and call managers have in common: shared rows, default rights, the test."""

from typing import Any, ClassVar

from django.db import IntegrityError
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.accounts.api import AccountNumber, OwnedRecord
from contacts_app.core.api.dialect import Conflict
from contacts_app.core.api.family import PhoneFamilyView, answer, check_has_known_field, page
from contacts_app.core.api.view import Text, find, uuid_in_url
from phones_app.inventory.api.fields import Shape
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import Check

Server = FileServer | CallManager
# Of a shared server the tenants see where it is, not how staff log in there or what it said to them.
STAFF_ONLY = {"username": "", "test_result": None}


class ServerRecord(OwnedRecord):
    """A server; its password goes in and never comes out."""

    account = AccountNumber(help_text="Null: shared by all accounts; only staff may write those.")
    password = Text(write_only=True, required=False, allow_blank=True, trim_whitespace=False)
    test_result = serializers.CharField(
        read_only=True, allow_null=True, help_text="Empty: the last test went well. Null: only staff is told."
    )

    def to_representation(self, server: Server) -> dict[str, Any]:
        record: dict[str, Any] = super().to_representation(server)
        if server.account_id is None and not self.context["request"].user.is_staff:
            record |= STAFF_ONLY
        return record


class CheckResult(Shape):
    ok = serializers.BooleanField()
    message = serializers.CharField()
    request = serializers.CharField(help_text="What was sent, secrets masked.")
    answer = serializers.CharField(help_text="What came back.")


class ServerView(PhoneFamilyView):
    """Which servers there are, and who may write them."""

    rows: ClassVar[Any]
    record: ClassVar[type[ServerRecord]]
    thing: ClassVar[str]

    def visible(self) -> "QuerySet[Any]":
        actor = self.actor
        return actor.sees(self.rows.select_related("account"), shared=True)

    def writable(self, uuid: str) -> Any:
        server = find(self.visible(), self.thing, uuid=uuid_in_url(uuid))
        if server.account_id is None and not self.actor.is_staff:
            raise PermissionDenied(f"This {self.thing.lower()} is shared; only staff may do that")
        return server

    def checked(self, server: Any = None) -> ServerRecord:
        record = self.record(
            server, data=self.request.data, partial=server is not None, context={"request": self.request}
        )
        record.is_valid(raise_exception=True)
        return record

    def shown(self, server: Any) -> dict[str, Any]:
        return self.record(context={"request": self.request}).to_representation(server)

    def store(self, server: Any, update_fields: list[str] | None = None) -> None:
        server.save(update_fields=update_fields)


class ServerListView(ServerView):
    def get(self, request: Request) -> Response:
        rows, metadata = page(request, self.visible())
        found = f"{metadata['total']} {self.thing.lower()}(s) found"
        return answer([self.shown(row) for row in rows], found, metadata=metadata)

    def post(self, request: Request) -> Response:
        record = self.checked()
        server = self.rows.model(**record.validated_data)
        self.try_to_store(server)
        return answer(self.shown(server), f"{self.thing} created", status=201, metadata={})

    def try_to_store(self, server: Any) -> None:
        try:
            self.store(server)
        except IntegrityError:
            raise Conflict("Another server became the default at the same moment") from None


class ServerDetailView(ServerView):
    def get(self, request: Request, uuid: str) -> Response:
        server = find(self.visible(), self.thing, uuid=uuid_in_url(uuid))
        return answer(self.shown(server), f"{self.thing} found", metadata={})

    def put(self, request: Request, uuid: str) -> Response:
        server = self.writable(uuid)
        record = self.checked(server)
        check_has_known_field(request.data, record)
        for name, value in record.validated_data.items():
            setattr(server, name, value)
        self.store(server, [*record.validated_data, "updated_at"])
        return answer(self.shown(server), f"{self.thing} updated", metadata={})

    def patch(self, request: Request, uuid: str) -> Response:
        return self.put(request, uuid)

    def delete(self, request: Request, uuid: str) -> Response:
        server = self.writable(uuid)
        if getattr(server, "is_embedded", False):
            raise Conflict("The embedded file server belongs to the installation and cannot be deleted")
        gone = {"uuid": str(server.uuid), "name": server.name}
        server.delete()
        return answer(gone, f"{self.thing} deleted", metadata={})


class ServerTestView(ServerView):
    def check(self, server: Any) -> Check:
        raise NotImplementedError

    def post(self, request: Request, uuid: str) -> Response:
        check = self.check(self.writable(uuid))
        result = {
            "ok": check.ok,
            "message": check.message,
            "request": check.exchange.request,
            "answer": check.exchange.answer,
        }
        return answer(result, f"{self.thing} tested", metadata={})
