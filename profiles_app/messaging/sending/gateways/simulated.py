"""A gateway that speaks to nobody: it takes messages and answers receipts by itself, for the demo and for trying out."""

from profiles_app.messaging.sending.gateways.channel import GatewayChannel, Handed
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway
from profiles_app.messaging.sending.receipts import SIMULATED, simulate


class SimulatedGateway(GatewayChannel):
    def __init__(self, gateway: MessageGateway) -> None:
        super().__init__(gateway)
        self._taken: list[Message] = []

    def _hand_over(self, message: Message, attempt: MessageAttempt) -> Handed:
        if message.recipient.endswith(SIMULATED["refused"]):
            return Handed(code="refused", error="The simulated gateway refuses this recipient.", is_permanent=True)
        self._taken.append(message)
        return Handed(reference=f"sim-{message.uuid}")

    def recorded(self) -> None:
        taken, self._taken = self._taken, []
        simulate(taken)
