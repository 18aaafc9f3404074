"""Receipts: what gateways say became of messages, and how that tells on the number that sent them (sending spec §4)."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from django.db import transaction

from contacts_app.core.metrics import Counted
from contacts_app.core.tables import table
from contacts_app.core.work import clock
from profiles_app.messaging.sending.message_events import FINALIZED, SENT, tell
from profiles_app.messaging.sending.models import Message, MessageGateway
from profiles_app.messaging.services import record_outcome

State = Message.State
MESSAGES = Counted("patchbay_messages_total", "Messages, by what came of them.", "result")
PREFIX = "pbg"
_WORDS = table(__file__, "receipt_words.toml")
# Each word that gateways use, and the state that it stands for; "" for one on the way.
STATES: dict[str, str] = {word: state for state, words in _WORDS["final"].items() for word in words}
STATES |= dict.fromkeys(_WORDS["on_the_way"], "")
SPAM = frozenset(_WORDS["spam"])
SIMULATED: dict[str, str] = _WORDS["simulated"]
LONGEST_ERROR = 255


def state_of(word: str) -> str | None:
    """The state that a gateway's word stands for; empty: it is on its way; None: the word is not known."""
    return STATES.get(word.strip().lower())


@transaction.atomic
def record_receipt(message: Message, *, state: str, error: str = "", is_spam: bool = False) -> bool:
    """Note the final state of a message; False where it has one already.

    A quick gateway may say so before the worker has written down that the message was taken.
    """
    held = Message.objects.select_for_update(of=("self",)).select_related("account", "messaging_profile", "lease")
    row = held.get(pk=message.pk)
    if row.state not in (State.QUEUED, State.SENT):
        return False
    now = clock.now()
    if row.state == State.QUEUED:
        row.state, row.sent_at = State.SENT, now
        tell([row], SENT)
    row.state, row.finalized_at, row.error = state, now, error[:LONGEST_ERROR]
    row.error_code = "spam" if is_spam else "" if state == State.DELIVERED else "undelivered"
    row.lease_owner, row.lease_until = "", None
    row.save(update_fields=["state", "sent_at", "finalized_at", "error", "error_code", "lease_owner", "lease_until"])
    if row.lease is not None:
        record_outcome(row.lease, delivered=state == State.DELIVERED, spam=is_spam)
    tell([row], FINALIZED)
    MESSAGES.add(state)
    return True


def record_of_gateway(gateway: MessageGateway, reference: str, word: str, error: str) -> bool:
    """Note a receipt that names the gateway's own id; False where no message has it."""
    state = state_of(word)
    rows = Message.objects.filter(gateway=gateway, gateway_ref=reference) if reference else Message.objects.none()
    message = rows.order_by("-pk").first()
    if message is not None and state:
        record_receipt(message, state=state, error=error, is_spam=word.strip().lower() in SPAM)
    return message is not None


def new_credential(gateway: MessageGateway) -> str:
    """Give the gateway another credential for receipts, and return it: it is kept as a digest alone."""
    text = f"{PREFIX}_{secrets.token_urlsafe(32)}"
    gateway.receipt_digest = _digest(text)
    gateway.save(update_fields=["receipt_digest", "updated_at"])
    return text


def gateway_behind(credential: str) -> MessageGateway | None:
    """The gateway whose credential this is: also one that is disabled, for the messages that it has taken."""
    if not credential.startswith(f"{PREFIX}_"):
        return None
    digest = _digest(credential)
    found = MessageGateway.objects.select_related("account").filter(receipt_digest=digest).first()
    return found if found and hmac.compare_digest(found.receipt_digest or "", digest) else None


def _digest(credential: str) -> str:
    # 256 random bits: nothing to guess, so no slow hash.
    return hashlib.sha256(credential.encode()).hexdigest()


def simulate(messages: Sequence[Message]) -> None:
    """The receipts of the simulated gateway, by the last digits of the recipient."""
    for message in messages:
        ending = message.recipient[-2:]
        is_spam = ending == SIMULATED["spam"]
        state = State.UNDELIVERED if ending == SIMULATED["undelivered"] or is_spam else State.DELIVERED
        record_receipt(message, state=state, error="" if state == State.DELIVERED else "Simulated.", is_spam=is_spam)
