"""`/mobility/sessions`: who is logged in where, or was; `/phones/{mac}/login` and `logout` (mobility spec §5.6)."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import ModelRecord, OneOf, RowUuid, Shape, TruthFilter
from contacts_app.core.api.view import Instant
from contacts_app.core.api.viewset import Listed, Retrieved
from contacts_app.people.models import User
from phones_app.inventory.api.phone import PhonesByMac
from phones_app.mobility.codes import EmCode
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out, session_on
from phones_app.mobility.models import MobilitySession, SessionState, Why
from phones_app.mobility.switch import EmRefusal
from profiles_app.phone.api.profile import MacFilter, MacText, profile_of

LOGS_IN, LOGS_OUT = "phones_app.add_mobilitysession", "phones_app.change_mobilitysession"


class MobilitySessionRecord(ModelRecord):
    """One person at one phone, from the log-in to the log-out; each of them is a deployment."""

    needs: ClassVar[Mapping[str, Sequence[str]]] = {"is_present": ("state",)}

    account = serializers.IntegerField(source="account.voip_id", read_only=True)
    mac = MacText(read_only=True)
    user_uuid = RowUuid(source="user", read_only=True, allow_null=True)
    person = serializers.CharField(source="person_name", read_only=True)
    profile_uuid = RowUuid(source="profile", read_only=True, allow_null=True)
    profile = serializers.CharField(source="profile_name", read_only=True)
    is_present = serializers.BooleanField(read_only=True, help_text="Logged in, or about to be.")
    why = serializers.CharField(read_only=True, help_text="Why it ended, in a word; empty: it has not.")
    login = RowUuid(read_only=True, allow_null=True, help_text="The deployment of the log-in.")
    logout = RowUuid(read_only=True, allow_null=True, help_text="The deployment of the log-out.")

    class Meta:
        model = MobilitySession
        fields = [
            *("uuid", "account", "mac", "user_uuid", "person", "profile_uuid", "profile", "state", "is_present"),
            *(
                "note",
                "since",
                "until",
                "used_at",
                "ended_at",
                "why",
                "requested_by",
                "channel",
                "ended_by",
                "login",
                "logout",
            ),
        ]
        read_only_fields = fields


class MobilitySessionFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = OneOf(SessionState)
    mac = MacFilter(label="In any spelling.")
    user_uuid = django_filters.UUIDFilter("user__uuid", label="UUID of a person.")
    profile_uuid = django_filters.UUIDFilter("profile__uuid", label="UUID of a profile.")
    since_after = django_filters.IsoDateTimeFilter("since", "gte", label="ISO 8601.")
    since_before = django_filters.IsoDateTimeFilter("since", "lt", label="ISO 8601.")
    open = TruthFilter("ended_at", lookup_expr="isnull", label="Whether the log-out is still to come.")

    class Meta:
        model = MobilitySession
        fields: list[str] = []


class LoginRequest(Shape):
    user_uuid = serializers.UUIDField(help_text="The person, of the phone's account.")
    profile_uuid = serializers.UUIDField(
        required=False, allow_null=True, help_text="A device profile of the person; needed where several fit the phone."
    )
    until = Instant(
        required=False, allow_null=True, help_text="When the person is logged out; at the latest when the policy says."
    )


SESSION = envelope("MobilitySession", MobilitySessionRecord)
WITH_RELATIONS = MobilitySession.objects.select_related("account", "user", "profile", "login", "logout")


class MobilitySessions(Listed, Retrieved, FamilyViewSet):
    queryset = WITH_RELATIONS
    serializer_class = MobilitySessionRecord
    filterset_class = MobilitySessionFilter
    thing, name_in_document = "Session", "MobilitySession"
    descriptions = {
        "list": "Who is logged in on which phone, and who was: the latest log-in first.",
        "retrieve": "One session.",
    }


class LoginsOnPhones(PhonesByMac):
    rights = {"login": LOGS_IN, "logout": LOGS_OUT}
    messages = {"login": "Log-in requested", "logout": "Log-out requested"}

    @extend_schema(request=LoginRequest, responses=answers(202, SESSION, 400, 404, 409))
    @action(detail=True, methods=["post"])
    def login(self, request: Request, mac: str) -> Response:
        """Bring a person's device profile to the phone, as a log-in on its screen does. `state` says how far it is."""
        phone, wanted = self.get_object(), self.sent(body=LoginRequest)
        user = self.actor.sees(User.objects.all()).filter(uuid=wanted["user_uuid"]).first()
        if user is None:
            raise ValidationError({"user_uuid": "User not found"})
        profile = profile_of(self.actor, wanted["profile_uuid"]) if wanted.get("profile_uuid") else None
        session = log_in(phone, user, profile=profile, until=wanted.get("until"), actor=self.actor)
        return self._answer(session)

    @extend_schema(request=None, responses=answers(202, SESSION, 404, 409))
    @action(detail=True, methods=["post"])
    def logout(self, request: Request, mac: str) -> Response:
        """Bring the phone's base profile back. A conflict where nobody is logged in."""
        session = session_on(self.get_object())
        if session is None:
            raise EmRefusal(EmCode.NO_USER, "nobody-logged-in", f"{EmCode.NO_USER.label}.")
        return self._answer(log_out(session, why=Why.REST, actor=self.actor))

    def _answer(self, session: MobilitySession) -> Response:
        found = WITH_RELATIONS.get(pk=session.pk)
        url = f"/api/v1/mobility/sessions/{found.uuid}"
        return Response(MobilitySessionRecord(found).data, status=202, headers={"Location": url})
