"""`/profile/messaging`: messaging profiles, the numbers that use them, and which number sends next."""

from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.view import Instant, Text
from contacts_app.core.values import is_web_url, masked_url
from profiles_app.messaging.api.dialect import MessagingProfilesViewSet, answers, envelope
from profiles_app.messaging.api.fields import (
    OWNED_FIELDS,
    OWNED_RELATIONS,
    CallbackUrl,
    Input,
    OwnedOutput,
    PoolFlag,
    Weight,
    WordFlag,
    without_secrets,
)
from profiles_app.messaging.api.number_lease import LEASES, MANY_LEASES, ONE_LEASE, LeaseBrief, LeaseOutput
from profiles_app.messaging.models import WEBHOOKS, MessagingProfile, NumberLease
from profiles_app.messaging.senders import choose_sender
from profiles_app.messaging.sending.message_events import renew_secret
from profiles_app.messaging.sending.models import OptOut
from profiles_app.messaging.services import delete_messaging_profile, save_messaging_profile

MIN_RECIPIENT, MAX_RECIPIENT = 3, 64


class MessagingProfileInput(Input):
    spellings = {"toll_free_weight": "tollfree_weight"}

    name = Text(max_length=255, help_text="A user-assigned name to help manage the messaging profile.")
    callback_url = CallbackUrl(help_text="Primary webhook callback url")
    callback_url2 = CallbackUrl(help_text="Secondary webhook url (if primary can't be reached)")
    number_pool_enable = PoolFlag(
        required=False, help_text="Whether the pool chooses senders. A URL here is taken for `callback_url2`."
    )
    long_code_weight = Weight()
    tollfree_weight = Weight()
    toll_free_weight = Weight(help_text="The same as `tollfree_weight`.")
    skip_unhealthy_tns = WordFlag(required=False)
    sticky_sender = WordFlag(required=False)
    opt_out_words = Text(required=False, allow_blank=True, max_length=255, help_text="Separated by commas.")
    opt_in_words = Text(required=False, allow_blank=True, max_length=255, help_text="Separated by commas.")

    def to_internal_value(self, data: Any) -> Any:
        # The document's row of this flag is that of `callback_url2`, which lost its name (messaging spec §4.2).
        if isinstance(data, Mapping) and _is_url(url := data.get("number_pool_enable")):
            data = {name: value for name, value in data.items() if name != "number_pool_enable"}
            data.setdefault("callback_url2", url)
        return super().to_internal_value(data)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and is_web_url(value)


class MessagingProfileOutput(OwnedOutput):
    callback_url = serializers.CharField(allow_null=True)
    callback_url2 = serializers.CharField(allow_null=True)
    toll_free_weight = serializers.IntegerField(source="tollfree_weight", required=False)
    leases = LeaseBrief(many=True)

    class Meta:
        model = MessagingProfile
        fields = [
            *OWNED_FIELDS,
            *("name", "callback_url", "callback_url2", "number_pool_enable"),
            *("long_code_weight", "tollfree_weight", "toll_free_weight"),
            *("skip_unhealthy_tns", "sticky_sender", "leases"),
        ]

    @classmethod
    def narrowed(cls, record: dict[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        if not settings.MESSAGING_BOTH_SPELLINGS:
            del record["toll_free_weight"]
        return without_secrets(record, context)


class OptOutBrief(serializers.ModelSerializer[OptOut]):
    created_on = Instant(source="created_at")

    class Meta:
        model = OptOut
        fields = ["recipient", "word", "created_on"]


class OptOutsOutput(serializers.ModelSerializer[MessagingProfile]):
    """The profile's words stand here: the document's own record of a profile has no place for them."""

    recipients = serializers.SerializerMethodField()

    class Meta:
        model = MessagingProfile
        fields = ["opt_out_words", "opt_in_words", "recipients"]

    @extend_schema_field(OptOutBrief(many=True))
    def get_recipients(self, profile: MessagingProfile) -> Any:
        return OptOutBrief(OptOut.objects.filter(profile=profile)[:MOST_OPT_OUTS], many=True).data


class SigningSecretOutput(serializers.Serializer[Any]):
    signing_secret = serializers.CharField(help_text="Signs as `X-Patchbay-Signature`: docs/events.md.")


MOST_OPT_OUTS = 1000
OPT_OUTS = envelope("OptOuts", OptOutsOutput)
SIGNING_SECRET = envelope("MessagingSigningSecret", SigningSecretOutput)


class SenderRequest(serializers.Serializer[Any]):
    to = Text(min_length=MIN_RECIPIENT, max_length=MAX_RECIPIENT, help_text="Who the message is for.")


@extend_schema_view(create=extend_schema(examples=examples_of(__file__, "create")))
class MessagingProfiles(MessagingProfilesViewSet):
    queryset = MessagingProfile.objects.select_related(*OWNED_RELATIONS).prefetch_related(
        Prefetch("leases", NumberLease.objects.only("uuid", "tn", "messaging_profile").order_by("created_at", "pk"))
    )
    serializer_class = MessagingProfileOutput
    body_class = MessagingProfileInput
    thing = "Messaging profile"
    name_in_document = "MessagingProfile"
    descriptions = {
        "list": "This will return a list of all messaging profiles, the oldest first; with `uuid` that one.",
        "create": "This will create a new messaging profile",
        "retrieve": "Get extended messaging profile info",
        "partial_update": "This will update a messaging profile",
        "destroy": "Remove a messaging profile. Its numbers move to the account's default one, which stays.",
    }
    conflicts = ("destroy", "destroy_named")
    rights = {
        "tnleases": "profiles_app.view_numberlease",
        "sender": "profiles_app.change_numberlease",
        "optouts": "profiles_app.view_optout",
        "signing_secret": "change",
    }

    def store(self, row: MessagingProfile, changed: Collection[str] | None) -> None:
        save_messaging_profile(row, actor=self.actor, changed=changed)

    def save(self, row: MessagingProfile, sent: dict[str, Any]) -> None:
        """A webhook that comes back as it was shown stays as it is."""
        if not self.actor.reveals and not row._state.adding:
            shown = {name: masked_url(getattr(row, name)) for name in WEBHOOKS}
            sent = {name: value for name, value in sent.items() if not value or value != shown.get(name)}
        super().save(row, sent)

    def remove(self, row: MessagingProfile) -> None:
        delete_messaging_profile(row, actor=self.actor)

    @extend_schema(responses=answers(MANY_LEASES, 404))
    @action(detail=True)
    def tnleases(self, request: Request, uuid: str) -> Response:
        """The numbers that use the profile."""
        leases = LEASES.filter(messaging_profile=self.get_object())
        return Response(LeaseOutput(leases, many=True, context=self.get_serializer_context()).data)

    @extend_schema(request=SenderRequest, responses=answers(ONE_LEASE, 404, 409))
    @action(detail=True, methods=["post"])
    def sender(self, request: Request, uuid: str) -> Response:
        """Choose the number that sends the next message, by the rules of the pool. Choosing takes that number's turn."""
        profile = self.get_object()
        lease = choose_sender(profile=profile, to=self.sent(body=SenderRequest)["to"])
        return Response(LeaseOutput(LEASES.get(pk=lease.pk), context=self.get_serializer_context()).data)

    @extend_schema(responses=answers(OPT_OUTS, 404))
    @action(detail=True)
    def optouts(self, request: Request, uuid: str) -> Response:
        """The profile's opt-out words, and recipients that have written one, the newest first; at most a thousand."""
        return Response(OptOutsOutput(self.get_object()).data)

    @extend_schema(request=None, responses=answers(SIGNING_SECRET, 404))
    @action(detail=True, methods=["post"], url_path="signing-secret")
    def signing_secret(self, request: Request, uuid: str) -> Response:
        """Give the profile a new secret to sign webhooks with. It is shown this once; the former one ends now."""
        answer = Response({"signing_secret": renew_secret(self.get_object())})
        answer["Cache-Control"] = "no-store"
        return answer
