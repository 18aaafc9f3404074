"""A bare SIP client over UDP and TCP, written from the RFC so that it shares nothing with what it tests."""

import itertools
import socket

from phones_app.simulator.phone import SimulatedPhone

ZERO = "{00000000-0000-0000-0000-000000000000}"
_numbers = itertools.count(1)


def notify(
    phone: SimulatedPhone,
    action: str = "restart",
    *,
    call_id: str | None = None,
    user: str = "1001",
    host: str = "",
    body: str | None = None,
    **headers: str | None,
) -> bytes:
    """Write a NOTIFY; `headers` replace those of that name (`max_forwards`: Max-Forwards), None omits one."""
    if body is None:
        register = phone.call_id if call_id is None else call_id
        lines = [f"action={action}", f"RegisterCallId={{{register}}}", f"ConfigVersionStamp={ZERO}"]
        body = "".join(f"{line}\r\n" for line in lines)
    number = next(_numbers)
    uri = f"sip:{user}{'@' if user else ''}{host or phone.config.host}:{phone.sip_port}"
    fields: dict[str, str | None] = {
        "Via": f"SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{number};rport",
        "Max-Forwards": "70",
        "From": "<sip:127.0.0.1>;tag=portal",
        "To": f"<{uri}>",
        "Call-Id": f"call-{number}@127.0.0.1",
        "Cseq": "1 NOTIFY",
        "Event": "service-control",
        "Subscription-State": "active",
        "Content-Type": "text/plain",
        "Content-Length": str(len(body)),
    }
    fields.update({name.replace("_", "-").title(): value for name, value in headers.items()})
    method = (fields["Cseq"] or "1 NOTIFY").split()[1]
    head = [f"{method} {uri} SIP/2.0", *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    return "\r\n".join([*head, "", body]).encode()


def udp_socket(phone: SimulatedPhone) -> socket.socket:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(60)
    client.connect((phone.config.host, phone.sip_port))
    return client


def by_udp(phone: SimulatedPhone, message: bytes) -> bytes:
    with udp_socket(phone) as client:
        client.send(message)
        return client.recv(65536)


def by_tcp(phone: SimulatedPhone, *messages: bytes) -> list[bytes]:
    """Send all messages on one connection and return one answer for each."""
    answers = []
    with socket.create_connection((phone.config.host, phone.sip_port), timeout=60) as client:
        for message in messages:
            client.sendall(message)
            answers.append(client.recv(65536))
    return answers


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
