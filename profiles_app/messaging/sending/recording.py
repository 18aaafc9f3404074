"""Writing down how handing over went, many messages in one transaction, under the lease of the worker that did it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When

from contacts_app.core.lists.insert import insert_many
from contacts_app.core.work import clock
from contacts_app.core.work.lease import LeaseLost
from profiles_app.events.attempts import pause_after
from profiles_app.messaging.sending.gateways.channel import Submission
from profiles_app.messaging.sending.message_events import FINALIZED, SENT, tell
from profiles_app.messaging.sending.models import Message
from profiles_app.messaging.sending.receipts import MESSAGES

State = Message.State
# What most messages of a round have in common, and so is written for all of them at once.
COMMON = (
    *("state", "error_code", "error", "attempt_count", "next_attempt_at"),
    *("lease_owner", "lease_until", "sent_at", "finalized_at"),
)


@transaction.atomic
def record(owner: str, done: Sequence[Submission]) -> None:
    """Raises LeaseLost where another worker has one of the messages, and then nothing is written.

    A message whose receipt has come meanwhile has its final state, and keeps it.
    """
    if not done:
        return
    keys = [submission.message.pk for submission in done]
    held = Message.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    rows = {pk: (state, holder) for pk, state, holder in held.values_list("pk", "state", "lease_owner")}
    if any(state == State.QUEUED and holder != owner for state, holder in rows.values()):
        raise LeaseLost
    there = [submission for submission in done if submission.message.pk in rows]
    insert_many([submission.attempt for submission in there])
    early = [one for one in there if rows[one.message.pk][0] != State.QUEUED]
    for one in early:
        counted = F("attempt_count") + 1
        Message.objects.filter(pk=one.message.pk).update(gateway_ref=one.handed.reference, attempt_count=counted)
    now = clock.now()
    ours = [_judged(one, now) for one in there if rows[one.message.pk][0] == State.QUEUED]
    _store(ours)
    tell([message for message in ours if message.state == State.SENT], SENT)
    tell([message for message in ours if message.state == State.FAILED], FINALIZED)
    for state in (State.SENT, State.FAILED, State.QUEUED):
        number = sum(message.state == state for message in ours)
        MESSAGES.add("tried again" if state == State.QUEUED else state, by=number)


def _store(messages: Sequence[Message]) -> None:
    """One UPDATE for all that come to the same; a message that waits for its next attempt is due at a time of its own."""
    alike: dict[tuple[Any, ...], list[Message]] = defaultdict(list)
    for message in messages:
        begun = message.submitted_at if message.state == State.QUEUED else None
        alike[(*(getattr(message, name) for name in COMMON), begun)].append(message)
    for (*values, begun), group in alike.items():
        known = [When(pk=message.pk, then=Value(message.gateway_ref)) for message in group if message.gateway_ref]
        reference = {"gateway_ref": Case(*known, default=Value(""))} if known else {}
        again = {"submitted_at": begun} if group[0].state == State.QUEUED else {}
        rows = Message.objects.filter(pk__in=[message.pk for message in group])
        rows.update(**dict(zip(COMMON, values, strict=True)), **reference, **again)


def _judged(submission: Submission, now: datetime) -> Message:
    """The message with the state that it comes to."""
    message, handed = submission.message, submission.handed
    message.attempt_count += 1
    message.lease_owner, message.lease_until = "", None
    message.error_code, message.error = handed.code[:32], handed.error[:255]
    # Of no meaning any more, and so the same in all of them.
    message.next_attempt_at = now
    if not handed.code:
        message.state, message.sent_at, message.gateway_ref = State.SENT, now, handed.reference
        return message
    repeats_safely = bool(message.gateway and message.gateway.repeats_safely)
    # An attempt that surely failed says nothing of one before it whose end is not known.
    may_be_there = handed.is_in_doubt or (repeats_safely and message.submitted_at is not None)
    pause = pause_after(message.attempt_count)
    if handed.is_permanent or pause is None or (may_be_there and not repeats_safely):
        message.state, message.finalized_at = State.FAILED, now
        if handed.is_in_doubt or (may_be_there and not handed.is_permanent):
            message.error_code = "in-doubt"
    else:
        message.submitted_at = (message.submitted_at or now) if may_be_there else None
        message.next_attempt_at = now + pause
    return message
