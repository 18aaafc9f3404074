"""`/sms`: messages that are sent, what became of them, and the receipts of gateways (sending spec §1, §4)."""

from typing import Any

import django_filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.fields import OneOf, RowUuid
from contacts_app.core.api.reading import Narrowed
from contacts_app.core.api.rows import Rows
from contacts_app.core.api.view import Instant, LongText, Record, Text, find
from contacts_app.core.api.viewset import Listed, Retrieved
from contacts_app.core.values import MAX_URL, MIN_URL, is_web_url
from profiles_app.messaging.api.dialect import MessagingViewSet, answers, envelope
from profiles_app.messaging.api.fields import CallbackUrl, Input
from profiles_app.messaging.api.number_lease import Reference
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import Message
from profiles_app.messaging.sending.outbox import MOST_MEDIA, MOST_TEXT, Draft, cancel, recipient_of, submit_one
from profiles_app.messaging.services import default_messaging_profile, spelled_recipient

MAX_ADDRESS = 64
LONGEST_ERROR = 255


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "integer"}]})
class Number(Text):
    """A telephone number; the provider's own clients send theirs as an integer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": MAX_ADDRESS} | kwargs))

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(str(data) if isinstance(data, int) and not isinstance(data, bool) else data)


@extend_schema_field({"type": "string", "format": "uri", "minLength": MIN_URL, "maxLength": MAX_URL})
class WebUrl(Text):
    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not is_web_url(text):
            raise serializers.ValidationError("Must be an http or https URL.")
        return text


class MessageInput(Record, Input):
    spellings = {
        "message": "text",
        "tn": "from",
        "messaging_profile": "messaging_profile_uuid",
        "custom_callback_url": "webhook_url",
    }
    odd = {"from": Number(required=False, help_text="One of the account's numbers. Empty: the profile chooses.")}

    to = Number(help_text="In international form.")
    text = LongText(required=False, max_length=MOST_TEXT, trim_whitespace=False)
    message = LongText(required=False, max_length=MOST_TEXT, trim_whitespace=False, help_text="The same as `text`.")
    tn = Number(required=False, help_text="The same as `from`.")
    messaging_profile_uuid = Reference(required=False, help_text="Empty: that of the number, or the default one.")
    messaging_profile = Reference(required=False, help_text="The same as `messaging_profile_uuid`.")
    media_urls = serializers.ListField(child=WebUrl(), required=False, max_length=MOST_MEDIA)
    webhook_url = CallbackUrl(help_text="Where the events of this message go, instead of the profile's webhooks.")
    custom_callback_url = CallbackUrl(help_text="The same as `webhook_url`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if not attrs.get("text") and not attrs.get("media_urls"):
            raise serializers.ValidationError({"text": "A message has a text, or media."})
        recipient_of(attrs["to"])
        return attrs


class LeftOut(serializers.Serializer[Any]):
    tn = serializers.CharField()
    why = serializers.CharField(help_text="`weight-0`, `unhealthy` or `lease-ended`.")


class MessageOutput(Narrowed, serializers.ModelSerializer[Any]):
    is_shown_whole = True
    needs = {"type": ("stored_media",), "media_urls": ("stored_media",)}

    created_on = Instant(source="created_at")
    sent_on = Instant(source="sent_at", allow_null=True)
    finalized_on = Instant(source="finalized_at", allow_null=True)
    to = serializers.CharField(source="recipient")
    message = serializers.CharField(source="text")
    type = serializers.CharField(help_text="`sms` or `mms`.")
    media_urls = serializers.ListField(child=serializers.CharField())
    left_out = serializers.JSONField(help_text="Numbers that were not considered, each with `tn` and `why`.")
    # Databases differ in what the smallest whole numbers may be.
    parts = serializers.IntegerField()
    messaging_profile = RowUuid(allow_null=True)
    reference_id = serializers.CharField(source="gateway_ref", help_text="The gateway's own id.")
    attempts = serializers.IntegerField(source="attempt_count")

    class Meta:
        model = Message
        fields = [
            *("uuid", "created_on", "sent_on", "finalized_on", "from", "to", "message", "type", "media_urls"),
            *("parts", "encoding", "state", "chosen_because", "left_out", "messaging_profile", "reference_id"),
            *("attempts", "error_code", "error"),
        ]


# Names that no attribute can have.
MessageOutput._declared_fields["from"] = serializers.CharField(source="sender")


class NumberFilter(django_filters.CharFilter):  # type: ignore[misc]
    """In any spelling."""

    def filter(self, qs: Any, value: str) -> Any:
        return super().filter(qs, spelled_recipient(value) if value else value)


class MessageFilter(django_filters.FilterSet):  # type: ignore[misc]
    state = OneOf(Message.State)
    to = NumberFilter("recipient", label="In any spelling.")
    messaging_profile_uuid = django_filters.UUIDFilter("messaging_profile__uuid", label="UUID of a profile.")
    created_after = django_filters.IsoDateTimeFilter("created_at", "gte", label="ISO 8601.")
    created_before = django_filters.IsoDateTimeFilter("created_at", "lt", label="ISO 8601.")

    class Meta:
        model = Message
        fields: list[str] = []


MessageFilter.base_filters["from"] = NumberFilter("sender", label="In any spelling.")

DEFAULT_TAKE, MAX_TAKE, MAX_SKIP = 100, 1000, 100_000


class TakeAndSkip(BasePagination):
    """The provider's words for pages; the payload is the plain array of all its lists."""

    def page_of(self, rows: Rows, request: Request, view: Any) -> list[Any]:
        asked = Taking(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = asked.validated_data
        return rows.page(page.get("limit", page["take"]), page.get("offset", page["skip"]))

    def get_paginated_response(self, data: Any) -> Response:
        return Response(data)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        take, skip = (1, MAX_TAKE, DEFAULT_TAKE), (0, MAX_SKIP, 0)
        limits = (("take", *take), ("skip", *skip), ("limit", *take), ("offset", *skip))
        return [
            {
                "in": "query",
                "name": name,
                "schema": {"type": "integer", "minimum": least, "maximum": most, "default": usual},
            }
            for name, least, most, usual in limits
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return schema


class Taking(serializers.Serializer[Any]):
    """`limit` and `offset`, the words of the other lists, say the same as `take` and `skip`."""

    take = serializers.IntegerField(default=DEFAULT_TAKE, min_value=1, max_value=MAX_TAKE)
    skip = serializers.IntegerField(default=0, min_value=0, max_value=MAX_SKIP)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_TAKE)
    offset = serializers.IntegerField(required=False, min_value=0, max_value=MAX_SKIP)


ONE_MESSAGE = envelope("Message", MessageOutput)


class Messages(Listed, Retrieved, MessagingViewSet):
    queryset = Message.objects.select_related("messaging_profile")
    serializer_class = MessageOutput
    body_class = MessageInput
    filter_backends = [DjangoFilterBackend]
    filterset_class = MessageFilter
    pagination_class = TakeAndSkip
    thing = name_in_document = "Message"
    rights = {"cancel": "change"}
    conflicts = ("create",)
    descriptions = {
        "list": "The account's messages, the newest first.",
        "create": "Send a message. The answer says which number sends it, why this one, and which ones were left out.",
        "retrieve": "One message, with its state.",
    }

    def create(self, request: Request) -> Response:
        account = self.account_of_new()
        sent = self.sent()
        lease = self._number(account, sent["from"]) if sent.get("from") else None
        profile = self._profile(account, lease, sent.get("messaging_profile_uuid"))
        draft = Draft(
            to=sent["to"],
            text=sent.get("text", ""),
            media_urls=sent.get("media_urls", ()),
            webhook_url=sent.get("webhook_url") or "",
        )
        message = submit_one(account, draft, profile=profile, actor=self.actor, lease=lease)
        return self.created(self.shown(self.get_queryset().get(pk=message.pk)))

    def _number(self, account: Any, text: str) -> NumberLease:
        digits = spelled_recipient(text)
        tn = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 15 else None
        return find(NumberLease.objects.filter(account=account).select_related("messaging_profile"), "TN lease", tn=tn)

    def _profile(self, account: Any, lease: NumberLease | None, wanted: Any) -> MessagingProfile:
        if wanted is None:
            return lease.messaging_profile if lease else default_messaging_profile(account=account, actor=self.actor)
        profile = find(MessagingProfile.objects.filter(account=account), "Messaging profile", uuid=wanted)
        if lease and lease.messaging_profile_id != profile.pk:
            raise NotFound("TN lease not found: the number has another messaging profile")
        return profile

    @extend_schema(request=None, responses=answers(ONE_MESSAGE, 404, 409))
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, uuid: str) -> Response:
        """Take a message back that is still queued."""
        cancel(self.get_object())
        return Response(self.shown(self.get_object()))
