"""A short message centre, by SMPP 3.4 (python-smpplib speaks it): submits parts, and takes receipts and messages back.

One session of a thread is bound as transceiver. The centre keeps what it has for us until somebody is bound, so that a
short visit now and then is enough to get receipts (SMPP 3.4 §2.3). The last part of a message alone asks for a receipt,
which stands for the whole.
"""

import re
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from smpplib import consts, exceptions, smpp
from smpplib.client import Client

from contacts_app.core.errors import TransportError
from contacts_app.core.net.wire import connection_error
from profiles_app.messaging.sending.gateways.channel import GatewayChannel, Handed, gateway_networks
from profiles_app.messaging.sending.gateways.smpp_messages import CODINGS, Arrived, arrived
from profiles_app.messaging.sending.models import Message, MessageAttempt, MessageGateway
from profiles_app.messaging.sending.receipts import record_of_gateway
from profiles_app.messaging.sending.segments import segments

# What passes by itself: the centre is busy, its queue is full, or it asks for patience (SMPP 3.4 §5.1.3).
LATER = (consts.SMPP_ESME_RSYSERR, consts.SMPP_ESME_RMSGQFUL, consts.SMPP_ESME_RTHROTTLED)
# The longest PDU that is read: a message of 64 KB and its header.
MOST_BYTES = 70_000
# What a session ends with, whichever layer notices.
BROKEN = (
    *(exceptions.ConnectionError, exceptions.PDUError, exceptions.UnknownCommandError),
    *(OSError, struct.error, ValueError),
)

Inbound = Callable[[MessageGateway, str, str, str], None]
_inbound: list[Inbound] = []


def register_inbound(take: Inbound) -> None:
    """Say who takes messages that centres deliver: gateway, sender, number and text."""
    _inbound.append(take)


class SessionEnded(Exception):
    """The centre has refused the bind, or closed the session; the message is for people."""


class _Client(Client):
    """Over a socket to a checked address, with a bound on what one PDU may claim. Keeps all answers by their number."""

    def __init__(self, link: socket.socket, seconds: float) -> None:
        super().__init__("", 0, seconds, allow_unknown_opt_params=True)
        self._socket, self.state = link, consts.SMPP_CLIENT_STATE_OPEN
        self.answers: dict[int, Any] = {}

    def read_pdu(self) -> Any:
        pdu = super().read_pdu()
        if pdu is not None and pdu.is_response():
            self.answers[pdu.sequence] = pdu
        return pdu

    def _recv_exact(self, exact_size: int) -> bytes:
        if not 0 <= exact_size <= MOST_BYTES:
            raise exceptions.ConnectionError("no PDU is as long")
        return super()._recv_exact(exact_size)


class SmppGateway(GatewayChannel):
    def __init__(self, gateway: MessageGateway) -> None:
        super().__init__(gateway)
        self._client: _Client | None = None
        # Receipts for messages whose rows do not know yet what the centre calls them.
        self._early: list[Arrived] = []

    def _hand_over(self, message: Message, attempt: MessageAttempt) -> Handed:
        try:
            client = self._bound()
        except TransportError as error:
            return Handed(code=error.code, error=error.message)
        except SessionEnded as error:
            return Handed(code="bind", error=str(error))
        split = segments(message.text)
        try:
            for number, part in enumerate(split.parts, 1):
                answer = self._submit(client, message, split.encoding, part, number, len(split.parts))
                if answer.status != consts.SMPP_ESME_ROK:
                    return _refused(answer.status, number)
            return Handed(reference=_text(answer.message_id)[:128])
        except TimeoutError:
            self.close()
            return Handed(code="timeout", error="The gateway did not answer in time.", is_in_doubt=True)
        except BROKEN:
            self.close()
            return Handed(code="closed", error="The gateway closed the session.", is_in_doubt=True)

    def listen(self) -> None:
        """Take what waits for us; TransportError or SessionEnded where nobody answers."""
        client = self._bound()
        try:
            # Asked for a sign of life, the centre has delivered what waited before it answers.
            self._await(client, self._request(client, "enquire_link"))
        except BROKEN as error:
            self.close()
            raise SessionEnded("The gateway closed the session.") from error
        self.recorded()

    def recorded(self) -> None:
        if self._client is not None:
            try:
                self._client.poll(auto_send_enquire_link=False)
            except BROKEN:
                self.close()
        early, self._early = self._early, []
        for one in early:
            record_of_gateway(self.gateway, one.reference, one.word, one.error)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*BROKEN):
                client.unbind()
            client.disconnect()

    def _bound(self) -> _Client:
        if self._client is None:
            self._client = self._bind()
        return self._client

    def _bind(self) -> _Client:
        gateway, seconds = self.gateway, settings.GATEWAY_SECONDS
        address = gateway_networks().resolve(gateway.host, gateway.port)
        try:
            # Closed with the client.
            link = socket.create_connection((address, gateway.port), seconds)
            if gateway.use_tls:
                link = ssl.create_default_context().wrap_socket(link, server_hostname=gateway.host)
        except OSError as error:
            raise connection_error(error, f"{gateway.host}:{gateway.port}") from error
        client = _Client(link, seconds)
        client.set_message_received_handler(self._delivered)
        # Answers are looked up, and their errors judged, by who waits for them.
        client.set_message_sent_handler(lambda pdu: None)
        client.set_error_pdu_handler(lambda pdu: None)
        try:
            client.bind_transceiver(
                system_id=gateway.system_id, password=gateway.password or "", system_type=gateway.system_type
            )
        except BROKEN as error:
            client.disconnect()
            raise SessionEnded(f"The gateway refused the session: {error or 'it closed the connection'}.") from error
        return client

    def _submit(self, client: _Client, message: Message, encoding: str, part: bytes, number: int, count: int) -> Any:
        header = b""
        if count > 1:
            # The same number in all parts of a message puts them together (3GPP TS 23.040 §9.2.3.24.1).
            header = bytes([5, 0, 3, message.uuid.bytes[0], count, number])
        sent = client.send_message(
            source_addr_ton=consts.SMPP_TON_INTL,
            source_addr_npi=consts.SMPP_NPI_ISDN,
            source_addr=message.sender,
            dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN,
            destination_addr=message.recipient,
            short_message=header + part,
            data_coding=CODINGS[encoding],
            esm_class=consts.SMPP_GSMFEAT_UDHI if header else consts.SMPP_MSGMODE_DEFAULT,
            registered_delivery=int(number == count),
        )
        return self._await(client, sent.sequence)

    def _request(self, client: _Client, command: str) -> int:
        pdu = smpp.make_pdu(command, client=client)
        client.send_pdu(pdu)
        return int(pdu.sequence)

    def _await(self, client: _Client, sequence: int) -> Any:
        """Read until the answer comes; what comes meanwhile is taken as well."""
        while sequence not in client.answers:
            client.read_once(auto_send_enquire_link=False)
        return client.answers.pop(sequence)

    def _delivered(self, pdu: Any) -> int:
        """The status that the centre is answered; after an error it tries again."""
        one = arrived(pdu)
        if one.is_receipt:
            if not record_of_gateway(self.gateway, one.reference, one.word, one.error):
                self._early.append(one)
        else:
            for take in _inbound:
                take(self.gateway, one.sender, one.recipient, one.text)
        return int(consts.SMPP_ESME_ROK)


def _refused(status: int, part: int) -> Handed:
    words = consts.DESCRIPTIONS.get(status, f"Status 0x{status:08x}")
    # Parts before it have been taken.
    return Handed(code=f"smpp-{status}", error=words, is_permanent=status not in LATER, is_in_doubt=part > 1)


def _text(octets: Any) -> str:
    text = octets.decode("ascii", "replace") if isinstance(octets, bytes) else str(octets or "")
    return re.sub(r"[^\x20-\x7e]", "", text)
