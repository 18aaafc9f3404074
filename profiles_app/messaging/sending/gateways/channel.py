"""The way to a gateway: hands a message over, and says how that went. No decisions about tries.

An answer may repeat what was sent, so whatever is kept of it is cleared of the gateway's secrets first.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from contacts_app.core.net.wire import Networks
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway


@dataclass(frozen=True)
class Handed:
    """`reference`: the gateway's own id. Without a `code` the gateway has taken the message.

    `is_permanent`: it will refuse this message again. `is_in_doubt`: it may have taken the message.
    """

    reference: str = ""
    code: str = ""
    error: str = ""
    is_permanent: bool = False
    is_in_doubt: bool = False


@dataclass(frozen=True)
class Submission:
    """One message, the attempt to hand it over, which is not stored, and how that went."""

    message: Message
    attempt: MessageAttempt
    handed: Handed


class GatewayChannel(ABC):
    """Used by one thread."""

    def __init__(self, gateway: MessageGateway) -> None:
        self.gateway = gateway

    def submit(self, message: Message) -> Submission:
        """Raises nothing that the other side could be the cause of."""
        attempt, started = MessageAttempt(message=message, started_at=timezone.now()), time.monotonic()
        handed = self._hand_over(message, attempt)
        attempt.duration_ms = round((time.monotonic() - started) * 1000)
        attempt.number = message.attempt_count + 1
        attempt.ok, attempt.error_code, attempt.error = not handed.code, handed.code[:32], handed.error[:512]
        return Submission(message, attempt, handed)

    @abstractmethod
    def _hand_over(self, message: Message, attempt: MessageAttempt) -> Handed: ...

    def recorded(self) -> None:  # noqa: B027 - most have nothing to do
        """What was handed over stands in the rows now; here receipts that came before that are noted."""

    def close(self) -> None:  # noqa: B027
        """Give back what is open."""


def gateway_networks() -> Networks:
    """Where gateways may be although it is no public address."""
    return Networks.parse(settings.GATEWAY_NETWORKS, "GATEWAY_NETWORKS")


Making = Callable[[MessageGateway], GatewayChannel]
