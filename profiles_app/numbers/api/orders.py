"""`/tn`: the numbers of the stock that can be leased. `/tnorder`: what an account asks the operator for."""

from typing import Any, ClassVar

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.rights import refuse_deletion
from contacts_app.core.api.view import Instant, Record, Text
from contacts_app.core.api.viewset import Listed, Retrieved
from profiles_app.messaging.api.dialect import MessagingViewSet, answers, envelope
from profiles_app.messaging.api.fields import OWNED_FIELDS, OWNED_RELATIONS, Input, OwnedOutput, Whole, WordFlag
from profiles_app.messaging.api.number_lease import Reference, Tn
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.numbers.api.leases import TelephoneNumber, with_rows
from profiles_app.numbers.models import DIGITS, MOST_ORDERED, NumberOrder, StockNumber
from profiles_app.numbers.services import free_numbers, place_order, withdraw
from profiles_app.sip.api.records import SipConnectionBrief, SipControlAppBrief

KINDS = NumberLease.Kind.choices
USUAL_LIMIT, HIGHEST_LIMIT = 100, 1000


class StockQuery(Record):
    prefix = Text(default="", allow_blank=True, max_length=15, validators=[DIGITS])
    kind = serializers.ChoiceField(choices=KINDS, default="")
    limit = serializers.IntegerField(default=USUAL_LIMIT, min_value=1, max_value=HIGHEST_LIMIT)


class StockNumberOutput(serializers.ModelSerializer[StockNumber]):
    monthly_price = serializers.FloatField(allow_null=True)

    class Meta:
        model = StockNumber
        fields = ["tn", "kind", "region", "monthly_price"]


class StockNumbers(MessagingViewSet):
    """Numbers of the operator, which are no account's yet."""

    queryset = StockNumber.objects.all()
    serializer_class = StockNumberOutput
    rights = {"list": "profiles_app.view_numberlease"}

    @extend_schema(
        parameters=[
            OpenApiParameter("prefix", str, description="Digits that the numbers begin with, such as 1202."),
            OpenApiParameter("kind", str, enum=[kind for kind, _ in KINDS]),
            OpenApiParameter("limit", int, description=f"1 to {HIGHEST_LIMIT}; {USUAL_LIMIT} if absent."),
        ],
        responses=answers(envelope("TNs", StockNumberOutput, many=True)),
    )
    def list(self, request: Request) -> Response:
        """The numbers that can be leased, by number."""
        query = StockQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        found = free_numbers(kind=asked["kind"], prefix=asked["prefix"])[: asked["limit"]]
        return Response(StockNumberOutput(found, many=True).data)


class OrderInput(Input):
    spellings = {
        "messaging_profile_uuid": "messaging_profile",
        "sip_connection_uuid": "sip_connection",
        "sip_control_app_uuid": "sip_control_app",
    }

    quantity = Whole(required=False, min_value=1, max_value=MOST_ORDERED, help_text="1 if absent.")
    kind = serializers.ChoiceField(choices=KINDS, required=False, allow_blank=True)
    prefix = Text(required=False, allow_blank=True, max_length=15, validators=[DIGITS])
    tns = serializers.ListField(
        child=TelephoneNumber(), required=False, max_length=MOST_ORDERED, help_text="These numbers of the stock."
    )
    note = Text(required=False, allow_blank=True, max_length=255)
    autorenew = WordFlag(required=False)
    messaging_profile = Reference(required=False, allow_null=True, help_text="Of the numbers that come.")
    messaging_profile_uuid = Reference(required=False, allow_null=True, help_text="The same as `messaging_profile`.")
    sip_connection = Reference(required=False, allow_null=True)
    sip_connection_uuid = Reference(required=False, allow_null=True, help_text="The same as `sip_connection`.")
    sip_control_app = Reference(required=False, allow_null=True)
    sip_control_app_uuid = Reference(required=False, allow_null=True, help_text="The same as `sip_control_app`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if not attrs:
            # As a client sends that has lost its fields: it would be sold a number that nobody asked for.
            raise ValidationError({"quantity": "Say how many numbers, or which ones."})
        if (tns := attrs.get("tns")) and attrs.get("quantity", len(set(tns))) != len(set(tns)):
            raise ValidationError({"quantity": "Says something else than tns."})
        return attrs


class MessagingProfileBrief(serializers.ModelSerializer[MessagingProfile]):
    class Meta:
        model = MessagingProfile
        fields = ["uuid", "name"]


class WhatIsWanted(Record):
    quantity = serializers.IntegerField()
    kind = serializers.CharField()
    prefix = serializers.CharField()
    tns = serializers.ListField(source="wanted", child=serializers.IntegerField())
    note = serializers.CharField()


class OrderedNumber(serializers.ModelSerializer[StockNumber]):
    uuid = serializers.UUIDField(source="lease.uuid", allow_null=True)
    tn = Tn(source="*")

    class Meta:
        model = StockNumber
        fields = ["uuid", "tn"]


class NumberOrderOutput(OwnedOutput):
    profile = MessagingProfileBrief(source="messaging_profile", allow_null=True)
    sip_connection = SipConnectionBrief(allow_null=True)
    sip_control_app = SipControlAppBrief(allow_null=True)
    request = WhatIsWanted(source="*")
    tnleases = OrderedNumber(many=True, source="numbers")
    decided_on = Instant(source="decided_at", allow_null=True)

    class Meta:
        model = NumberOrder
        fields = [
            *(*OWNED_FIELDS, "state", "profile", "sip_connection", "sip_control_app", "request", "price", "autorenew"),
            *("tnleases", "answer", "decided_on"),
        ]


@extend_schema_view(
    list=extend_schema(description="The account's orders of numbers, the newest first."),
    retrieve=extend_schema(description="One order."),
)
class NumberOrders(Listed, Retrieved, MessagingViewSet):
    queryset = NumberOrder.objects.select_related(
        *(*OWNED_RELATIONS, "messaging_profile"),
        *("sip_connection__outbound_voice_profile", "sip_control_app__outbound_voice_profile"),
    ).prefetch_related(Prefetch("numbers", StockNumber.objects.select_related("lease")))
    serializer_class = NumberOrderOutput
    thing = "TN order"
    name_in_document = "TNOrder"
    conflicts: ClassVar[tuple[str, ...]] = ("destroy",)

    @extend_schema(request=OrderInput, examples=examples_of(__file__, "order"))
    def create(self, request: Request) -> Response:
        """Order numbers from the operator, who fulfils or refuses the order."""
        account = self.account_of_new()
        sent = with_rows(account.pk, self.sent(body=OrderInput))
        wanted = sorted(set(sent.pop("tns", ())))
        order = place_order(NumberOrder(account=account, wanted=wanted, **sent), actor=self.actor)
        return self.created(self.shown(self.get_queryset().get(pk=order.pk)))

    def destroy(self, request: Request, uuid: str) -> Response:
        """Withdraw an order that is not decided yet; the answer shows it once more."""
        order = self.get_object()
        refuse_deletion(self.actor, order)
        gone = self.shown(order)
        withdraw(order)
        return Response(gone)
