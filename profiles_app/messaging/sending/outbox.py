"""Taking messages in, and back: a message is checked, gets its sender and its gateway, and is a row from then on.

All of it is one transaction, so that of two requests at once each counts with the other's choice (sending spec §1).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import current_author
from contacts_app.core.lists.insert import insert_many
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.senders import GIVEN, SenderChoice, check_sender, choose_senders
from profiles_app.messaging.sending.message_events import FINALIZED, QUEUED, tell
from profiles_app.messaging.sending.models import Message, MessageGateway
from profiles_app.messaging.sending.opt_out import opted_out
from profiles_app.messaging.sending.segments import segments
from profiles_app.messaging.services import spelled_recipient

OUTBOUND = "outbound-messages"
BATCH = 500
MOST_TEXT = 918  # Six parts of a concatenated message (messaging spec §4.3).
MOST_MEDIA = 10
_RECIPIENT = re.compile(r"[0-9]{3,15}")
NO_GATEWAY = "No gateway takes messages of this account: staff add one under Message gateways"
NOT_QUEUED = "Only a message that is still queued, and was not begun to be sent, can be cancelled"
OPTED_OUT = "has opted out of messages of this profile; START from there lifts it"


class NotARecipient(Refusal):
    """What the message is for is no telephone number."""

    fields = {"to": ["Must be a phone number of 3 to 15 digits, in international form."]}

    def __init__(self) -> None:
        super().__init__("no-recipient", self.fields["to"][0])


@dataclass(frozen=True)
class Draft:
    """A message as it is asked for. `webhook_url`: where its events go, instead of the profile's webhooks."""

    to: str
    text: str = ""
    media_urls: Sequence[str] = ()
    webhook_url: str = ""


def recipient_of(to: str) -> str:
    """The digits of a recipient. Raises Refusal where it is no number."""
    digits = spelled_recipient(to)
    if not _RECIPIENT.fullmatch(digits):
        raise NotARecipient
    return digits


def gateway_of(account: Account) -> MessageGateway:
    """The gateway that takes the account's messages: of its own ones the first, else of everybody's."""
    rows = MessageGateway.objects.filter(Q(account=account) | Q(account=None), enabled=True)
    found = rows.order_by(F("account").asc(nulls_last=True), "priority", "pk").first()
    if found is None:
        raise Refusal("no-gateway", NO_GATEWAY)
    return found


@transaction.atomic
def submit(
    account: Account,
    drafts: Sequence[Draft],
    *,
    profile: MessagingProfile,
    actor: Actor,
    lease: NumberLease | None = None,
    gateway: MessageGateway | None = None,
) -> list[Message | Refusal]:
    """Put messages into the outbox, from `lease` or from whom the profile chooses; `gateway`: for a test of this one.

    For each draft its message, or why it is refused. Raises Refusal where none of them could be sent.
    """
    gateway = gateway or gateway_of(account)
    if lease is not None:
        check_sender(lease)
    unwanted = opted_out(profile.pk, [spelled_recipient(draft.to) for draft in drafts])
    taken: list[Message | Refusal] = []
    for draft in drafts:
        try:
            taken.append(_message(account, draft, profile, gateway, unwanted, actor))
        except Refusal as refusal:
            taken.append(refusal)
    messages = [message for message in taken if isinstance(message, Message)]
    if messages:
        _give_senders(messages, profile, lease)
        insert_many(messages, batch_size=BATCH)
        tell(messages, QUEUED)
        nudge_after_commit(OUTBOUND)
    return taken


def submit_one(
    account: Account,
    draft: Draft,
    *,
    profile: MessagingProfile,
    actor: Actor,
    lease: NumberLease | None = None,
    gateway: MessageGateway | None = None,
) -> Message:
    """Put a message into the outbox. Raises Refusal."""
    [taken] = submit(account, [draft], profile=profile, actor=actor, lease=lease, gateway=gateway)
    if isinstance(taken, Refusal):
        raise taken
    return taken


def cancellable() -> QuerySet[Message]:
    """Messages that were surely not sent. A lease that has run out is that of a worker which may have done so."""
    return Message.objects.filter(state=Message.State.QUEUED, lease_owner="", submitted_at=None)


@transaction.atomic
def cancel(message: Message) -> Message:
    """Take a message back that no worker has begun to send. Raises Refusal."""
    rows = cancellable().filter(pk=message.pk)
    if not rows.update(state=Message.State.CANCELLED, finalized_at=clock.now()):
        raise Refusal("not-queued", NOT_QUEUED)
    cancelled = Message.objects.select_related("account", "messaging_profile").get(pk=message.pk)
    tell([cancelled], FINALIZED)
    return cancelled


def _message(
    account: Account, draft: Draft, profile: MessagingProfile, gateway: MessageGateway, unwanted: set[str], actor: Actor
) -> Message:
    recipient = recipient_of(draft.to)
    if recipient in unwanted:
        raise Refusal("opted-out", f"{recipient} {OPTED_OUT}")
    if draft.media_urls and gateway.kind == MessageGateway.Kind.SMPP:
        raise Refusal("no-media", f"The gateway {gateway.name} sends no media")
    split = segments(draft.text)
    return Message(
        account=account,
        messaging_profile=profile,
        recipient=recipient,
        text=draft.text,
        stored_media=json.dumps(list(draft.media_urls)) if draft.media_urls else "",
        parts=1 if draft.media_urls else len(split.parts),
        encoding=split.encoding,
        webhook_url=draft.webhook_url,
        gateway=gateway,
        next_attempt_at=clock.now(),
        request_id=current_author().request_id,
        created_by=actor.author,
    )


def _give_senders(messages: Sequence[Message], profile: MessagingProfile, lease: NumberLease | None) -> None:
    recipients = [message.recipient for message in messages]
    if lease is not None:
        choices = [SenderChoice(lease, GIVEN)] * len(messages)
    else:
        choices = choose_senders(profile=profile, recipients=recipients, even_without_pool=True)
    for message, choice in zip(messages, choices, strict=True):
        message.lease, message.sender = choice.lease, str(choice.lease.tn)
        message.chosen_because, message.left_out = choice.because, list(choice.left_out)
