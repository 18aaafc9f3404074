"""Sending: claim queued messages, hand each to its gateway, write down how that went, many at a time.

A worker that is killed has written nothing of what it handed over last: the next one hands it over again under the same
UUID, to a gateway that counts repeats once. To any other a message is not sent again whose request was begun and has no
recorded end (sending spec §2).
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Value, When, prefetch_related_objects

from contacts_app.core.errors import TransportError
from contacts_app.core.history.authorship import following
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.lease import Fence, LeaseLost, no_live_lease
from profiles_app.messaging.sending.gateways.channel import GatewayChannel, Handed, Making, Submission
from profiles_app.messaging.sending.gateways.http import HttpGateway
from profiles_app.messaging.sending.gateways.simulated import SimulatedGateway
from profiles_app.messaging.sending.gateways.smpp import SessionEnded, SmppGateway
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway
from profiles_app.messaging.sending.opt_out import opted_out
from profiles_app.messaging.sending.outbox import OPTED_OUT, OUTBOUND
from profiles_app.messaging.sending.recording import record
from profiles_app.messaging.services import give_another_chance

log = structlog.get_logger(__name__)
Kind = MessageGateway.Kind
CHANNELS: dict[str, Making] = {Kind.HTTP: HttpGateway, Kind.SMPP: SmppGateway, Kind.SIMULATED: SimulatedGateway}
BATCH = 200
# What was handed over is written down at least this often.
ROUND_SECONDS = 1.0
RECEIPTS = "message-receipts"
# An SMPP gateway is visited this often while receipts are awaited, and for messages of people.
VISIT = timedelta(seconds=5)
IDLE_VISIT = timedelta(seconds=30)
# After a gateway was disabled, receipts are awaited for so long; most centres give a message up within that time.
AWAITED = timedelta(days=3)
# A gateway that fails like this is not there for the next message either.
SILENT = ("timeout", "refused", "unreachable", "unresolved", "bind", "network")
IN_DOUBT = "The request was begun and its end is not known; a repeat could be a second message."
NO_GATEWAY = "Its gateway was deleted."


class OutboundMessages(Work):
    """Handing queued messages to their gateways."""

    name = queue = OUTBOUND
    model = Message
    account = "account"
    server = F("gateway")
    per_server = 2
    batch = BATCH

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self._channels: dict[tuple[int, int, object], GatewayChannel] = {}

    @classmethod
    def due(cls) -> QuerySet[Message]:
        now = clock.now()
        return Message.objects.filter(no_live_lease(), state=Message.State.QUEUED, next_attempt_at__lte=now)

    @classmethod
    def threads(cls) -> int:
        return int(settings.MESSAGING_THREADS)

    @classmethod
    def sweep(cls) -> int:
        give_another_chance()
        return super().sweep()

    def do(self, keys: Sequence[int]) -> None:
        rows = list(Message.objects.filter(pk__in=keys).order_by("pk"))
        # Each once, not with every row: their secrets are decrypted.
        prefetch_related_objects(rows, "account", "messaging_profile", "gateway")
        by_gateway: dict[int, list[Message]] = defaultdict(list)
        for message in rows:
            by_gateway[message.gateway_id or 0].append(message)
        fence = Fence(self.held(keys))
        for messages in by_gateway.values():
            self._send(messages, fence)

    def _send(self, messages: Sequence[Message], fence: Fence) -> None:
        """Those of one gateway."""
        channel, unwanted = self._channel(messages[0].gateway), _unwanted(messages)
        if channel is not None and channel.gateway.repeats_safely:
            _note_begun([message for message in messages if message.pk in self.taken_over])
        done: list[Submission] = []
        end, silent = monotonic() + ROUND_SECONDS, 0
        for place, message in enumerate(messages, 1):
            if not fence.holds(message.pk):
                self._record(done, channel)
                raise LeaseLost
            with following(message.request_id):
                done.append(self._submission(channel, message, unwanted))
            silent = silent + 1 if done[-1].handed.code in SILENT else 0
            if monotonic() > end or silent >= settings.CALLBACK_SILENT_LIMIT:
                self._record(done, channel)
                done, end = [], monotonic() + ROUND_SECONDS
            if silent >= settings.CALLBACK_SILENT_LIMIT:
                self._rest(messages[place:])
                return
        self._record(done, channel)

    def rest(self, until: datetime) -> dict[str, Any]:
        """What broke may have been handed over. Gateways to which that may not be done again have it noted before."""
        repeating = MessageGateway.objects.filter(Q(kind=Kind.SIMULATED) | Q(kind=Kind.HTTP, is_idempotent=True))
        begun = When(submitted_at=None, gateway__in=repeating.values("pk"), then=Value(clock.now()))
        return super().rest(until) | {"submitted_at": Case(begun, default=F("submitted_at"))}

    def _rest(self, messages: Sequence[Message]) -> None:
        """A gateway that does not answer keeps no thread for the rest of its messages: nothing of them was tried."""
        later = clock.now() + timedelta(seconds=settings.CALLBACK_REST_SECONDS)
        self.let_go([message.pk for message in messages], next_attempt_at=later)

    def _record(self, done: list[Submission], channel: GatewayChannel | None) -> None:
        record(self.owner, done)
        if channel is not None:
            channel.recorded()

    def _submission(
        self, channel: GatewayChannel | None, message: Message, unwanted: set[tuple[int, str]]
    ) -> Submission:
        is_unwanted = (message.messaging_profile_id or 0, message.recipient) in unwanted
        may_repeat = channel is not None and channel.gateway.repeats_safely
        if message.submitted_at is not None and (is_unwanted or not may_repeat):
            return _unsent(message, "in-doubt", IN_DOUBT)
        if channel is None:
            return _unsent(message, "no-gateway", NO_GATEWAY)
        if is_unwanted:
            return _unsent(message, "opted-out", f"{message.recipient} {OPTED_OUT}")
        if not may_repeat:
            _note_begun([message])
        return channel.submit(message)

    def _channel(self, gateway: MessageGateway | None) -> GatewayChannel | None:
        """This thread's own, kept until the run ends or the gateway changes."""
        if gateway is None:
            return None
        key = (threading.get_ident(), gateway.pk, gateway.updated_at)
        if key not in self._channels:
            channel = CHANNELS[gateway.kind](gateway)
            self.opened.callback(channel.close)
            self._channels[key] = channel
        return self._channels[key]


class GatewayVisits(Work):
    """Asking SMPP gateways for receipts, and for messages of people."""

    name = queue = RECEIPTS
    model = MessageGateway
    due_field = "listen_at"
    claim_time = timedelta(seconds=60)

    @classmethod
    def due(cls) -> QuerySet[MessageGateway]:
        return MessageGateway.objects.filter(listen_at__lte=clock.now(), kind=Kind.SMPP)

    @classmethod
    def threads(cls) -> int:
        return 2

    def do(self, keys: Sequence[int]) -> None:
        for gateway in MessageGateway.objects.filter(pk__in=keys).select_related("account"):
            awaited = Message.objects.filter(gateway=gateway, state=Message.State.SENT)
            if not gateway.enabled:
                awaited = awaited.filter(sent_at__gt=clock.now() - AWAITED)
            if gateway.enabled or awaited.exists():
                self._visit(gateway)
            pause = VISIT if awaited.exists() else IDLE_VISIT
            MessageGateway.objects.filter(pk=gateway.pk).update(listen_at=clock.now() + pause)

    def _visit(self, gateway: MessageGateway) -> None:
        channel = SmppGateway(gateway)
        try:
            channel.listen()
        except (TransportError, SessionEnded) as error:
            log.info("gateway not reached", gateway=gateway.pk, reason=str(error))
        finally:
            channel.close()


def _unwanted(messages: Sequence[Message]) -> set[tuple[int, str]]:
    """Profiles and recipients that have opted out since the message was queued."""
    by_profile: dict[int, list[str]] = defaultdict(list)
    for message in messages:
        by_profile[message.messaging_profile_id or 0].append(message.recipient)
    return {(profile, to) for profile, recipients in by_profile.items() for to in opted_out(profile, recipients)}


def _note_begun(messages: Sequence[Message]) -> None:
    """From now on each of them may have been sent, whatever becomes of this worker."""
    begun = [message for message in messages if message.submitted_at is None]
    for message in begun:
        message.submitted_at = clock.now()
    if begun:
        keys = [message.pk for message in begun]
        Message.objects.filter(pk__in=keys).update(submitted_at=begun[0].submitted_at)


def _unsent(message: Message, code: str, words: str) -> Submission:
    """Nothing was handed over, and never will be."""
    attempt = MessageAttempt(message=message, started_at=clock.now(), duration_ms=0, ok=False)
    attempt.number, attempt.error_code, attempt.error = message.attempt_count + 1, code, words
    return Submission(message, attempt, Handed(code=code, error=words, is_permanent=True))
