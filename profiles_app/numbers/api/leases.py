"""`/lease/tn`: the account's numbers: leased from the stock, changed, and given back."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import transaction
from django.utils.text import capfirst
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.document import NamedShapes
from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.rights import refuse_deletion
from contacts_app.core.api.view import Text, find
from contacts_app.core.api.viewset import Listed, Retrieved
from profiles_app.messaging.api.dialect import MessagingViewSet, answers
from profiles_app.messaging.api.fields import Input, WordFlag
from profiles_app.messaging.api.number_lease import LEASE_FIELDS, LEASES, ONE_LEASE, LeaseOutput, Reference
from profiles_app.messaging.models import MessagingProfile, MessagingRecord, NumberLease
from profiles_app.messaging.services import describe_number, move_number_lease, record_outcome
from profiles_app.numbers.services import return_number, take_number
from profiles_app.sip.services import MODELS, route_number

LONGEST_NUMBER = 15
# What a body names by UUID.
REFERRED: dict[str, type[MessagingRecord]] = {"messaging_profile": MessagingProfile, **MODELS}


class TelephoneNumber(NamedShapes, serializers.Field[Any, Any, Any, Any]):
    """A number as answers show it, its digits, or these with a plus sign."""

    shapes = {
        "Number": {"type": "integer", "minimum": 100},
        "Digits": {"type": "string", "pattern": f"^\\+?[0-9]{{3,{LONGEST_NUMBER}}}$"},
        "TnReference": {"type": "object", "properties": {"tn": {"type": "integer"}}, "required": ["tn"]},
    }
    default_error_messages = {"invalid": "Must be a telephone number in international form."}

    def to_internal_value(self, data: Any) -> int:
        value = data.get("tn") if isinstance(data, dict) else data
        digits = str(value).removeprefix("+") if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not (digits.isascii() and digits.isdecimal() and 3 <= len(digits) <= LONGEST_NUMBER and digits[0] != "0"):
            self.fail("invalid")
        return int(digits)


def with_rows(account_id: int, sent: dict[str, Any]) -> dict[str, Any]:
    """The body with rows of the account for the UUIDs that it names."""
    for name, model in REFERRED.items():
        if sent.get(name):
            own = model._default_manager.filter(account=account_id)
            sent[name] = find(own, capfirst(str(model._meta.verbose_name)), uuid=sent[name])
    return sent


OR_NULL: dict[str, Any] = {"required": False, "allow_null": True}


class LeaseInput(Input):
    spellings = {
        "messaging_profile_uuid": "messaging_profile",
        "sip_connection_uuid": "sip_connection",
        "sip_control_app_uuid": "sip_control_app",
    }

    messaging_profile = Reference(required=False)
    messaging_profile_uuid = Reference(required=False, help_text="The same as `messaging_profile`.")
    sip_connection = Reference(**OR_NULL, help_text="Where calls to the number go; null: none.")
    sip_connection_uuid = Reference(**OR_NULL, help_text="The same as `sip_connection`.")
    sip_control_app = Reference(**OR_NULL, help_text="The app that decides about calls; null: none.")
    sip_control_app_uuid = Reference(**OR_NULL, help_text="The same as `sip_control_app`.")
    description = Text(required=False, allow_blank=True, max_length=255)
    destination = Text(required=False, allow_blank=True, max_length=255)
    site = Text(required=False, allow_blank=True, max_length=128)


class NewLeaseInput(LeaseInput):
    tn = TelephoneNumber(help_text="A number of the stock: `GET /rest/tn` lists them.")
    autorenew = WordFlag(required=False)


class OutcomeInput(Input):
    delivered = WordFlag()
    spam = WordFlag(default=False)


@extend_schema_view(
    list=extend_schema(description="The account's numbers, the longest held first."),
    retrieve=extend_schema(description="One number."),
)
class NumberLeases(Listed, Retrieved, MessagingViewSet):
    queryset = LEASES
    serializer_class = LeaseOutput
    thing = "TN lease"
    name_in_document = "TNLease"
    conflicts: ClassVar[tuple[str, ...]] = ("create",)
    rights = {"outcome": "change"}

    @extend_schema(request=NewLeaseInput, examples=examples_of(__file__, "lease"))
    def create(self, request: Request) -> Response:
        """Lease a number of the stock. Of two who ask for the same number one gets it."""
        if not (settings.NUMBER_SELF_SERVICE or self.actor.is_staff):
            raise PermissionDenied("Numbers are ordered here: POST /rest/tnorder")
        account = self.account_of_new()
        sent = with_rows(account.pk, self.sent(body=NewLeaseInput))
        targets = {name: sent.pop(name, None) for name in MODELS}
        profile = sent.pop("messaging_profile", None)
        lease = take_number(account=account, actor=self.actor, profile=profile, targets=targets, **sent)
        return self.created(self.shown(LEASES.get(pk=lease.pk)))

    @extend_schema(request=LeaseInput)
    def partial_update(self, request: Request, uuid: str) -> Response:
        """Change what is sent: the messaging profile, what calls go to, and what is said of the number."""
        lease = self.get_object()
        sent = with_rows(lease.account_id, self.sent(body=LeaseInput))
        with transaction.atomic():
            if profile := sent.pop("messaging_profile", None):
                move_number_lease(lease, profile, actor=self.actor)
            if targets := {name: sent.pop(name) for name in MODELS if name in sent}:
                route_number(lease, targets)
            if sent:
                describe_number(lease, actor=self.actor, **{name: sent[name] for name in LEASE_FIELDS if name in sent})
        return self.retrieve(request)

    def destroy(self, request: Request, uuid: str) -> Response:
        """Give the number back to the stock; the answer shows its lease once more."""
        lease: NumberLease = self.get_object()
        refuse_deletion(self.actor, lease)
        gone = self.shown(lease)
        return_number(lease)
        return Response(gone)

    @extend_schema(request=OutcomeInput, responses=answers(ONE_LEASE, 404))
    @action(detail=True, methods=["post"])
    def outcome(self, request: Request, uuid: str) -> Response:
        """Say what became of a message that the number sent: its health decides whether the pool skips it."""
        lease = self.get_object()
        record_outcome(lease, **self.sent(body=OutcomeInput))
        return Response(self.shown(lease))
