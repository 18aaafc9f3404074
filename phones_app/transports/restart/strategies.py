"""The strategies to restart a phone: each describes itself, sends, and says whether sending again is harmless.

Which one a phone gets is decided in one place, `choose` in `phones_app/deployment/restart.py`. The preview shows the
`describe()` of the same choice whose `send()` acts later, so that what was promised is what happens, fall-backs
included. Sources: phone profiles spec §5, Cisco phones spec §1.4, §2 and §8.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

from contacts_app.core.errors import Exchange, TransportError
from phones_app.transports.phone_web import PhoneWeb
from phones_app.transports.restart.ami import AmiTarget
from phones_app.transports.restart.ami_sessions import ami_session
from phones_app.transports.restart.asterisk import ContactRegistration, place_of, restart_sccp
from phones_app.transports.restart.cgi import run_macro
from phones_app.transports.restart.chan_sip import restart_chan_sip
from phones_app.transports.restart.key_macros import Macro
from phones_app.transports.restart.pjsip import restart_pjsip
from phones_app.transports.restart.sip_message import Stamps, explain
from phones_app.transports.restart.sip_notify import NotifyTarget, send_notify

# How long a phone surely answers the same transaction from memory. RFC 3261 §17.2.2, timer J is 32 s; less, because
# the request is on its way for a moment.
REMEMBERED = timedelta(seconds=30)


@dataclass(frozen=True)
class Description:
    """A restart in words for people: how it is sent, and why that cannot work (empty: nothing is known against it)."""

    way: str
    trouble: str = ""

    def __str__(self) -> str:
        return f"{self.way}, which cannot work: {self.trouble}" if self.trouble else self.way


@dataclass(frozen=True)
class Sent:
    """A restart that was sent: by which method, the exact texts, and what is needed to recognise evidence of it.

    `result` says no more than the answer does: Asterisk does not tell whether a phone took a NOTIFY (Asterisk spec §F.1).
    """

    method: str
    exchange: Exchange
    remembered: dict[str, Any] = field(default_factory=dict)
    result: str = "Accepted"

    @property
    def message(self) -> str:
        return f"{self.result} ({self.method})."


class RestartStrategy(Protocol):
    """What every way to restart a phone can do."""

    def describe(self) -> Description:
        """Say what `send` would do; nothing is read from the network."""

    def send(self, user: str, transaction: str) -> Sent:
        """Ask for the restart, once; TransportError when it was not accepted.

        `user` is the SIP user under which the phone is registered now, `transaction` the seed that is the same for
        every try of the same restart. Strategies without SIP use neither.
        """

    def is_idempotent(self, after: timedelta) -> bool:
        """Whether sending once more, `after` this time, restarts no phone twice."""


@dataclass(frozen=True)
class SipNotify:
    """SIP: a NOTIFY to the phone itself, or to its registrar (`receiver` is its name), which passes it on."""

    target: NotifyTarget
    receiver: str
    action: str
    stamps: Stamps

    def describe(self) -> Description:
        return Description(f"SIP NOTIFY to {self.receiver}")

    def send(self, user: str, transaction: str) -> Sent:
        answer = send_notify(
            replace(self.target, user=user), action=self.action, stamps=self.stamps, transaction=transaction
        )
        if answer.status != 200:
            raise TransportError(
                f"{answer.status} {answer.reason}: {explain(answer.status)}",
                permanent=True,
                code=f"sip-{answer.status}",
                exchange=answer.exchange,
            )
        return Sent("sip-notify", answer.exchange)

    def is_idempotent(self, after: timedelta) -> bool:
        """Over UDP the same transaction is a retransmission, as long as its receiver remembers it."""
        return self.target.transport == "udp" and after < REMEMBERED


@dataclass(frozen=True)
class _ThroughAsterisk:
    """What the strategies with an Asterisk (`pbx` is its name) have in common: it sends as often as it is asked."""

    target: AmiTarget
    pbx: str
    action: str

    def is_idempotent(self, after: timedelta) -> bool:
        return False


@dataclass(frozen=True)
class AmiPjsip(_ThroughAsterisk):
    """SIP phone at an Asterisk with PJSIP, which knows where the phone is registered, but not always as what.

    `keys` are pressed where a NOTIFY has no effect; None: they cannot be.
    """

    stamps: Stamps
    mac: str
    ip: str
    keys: "KeyPresses | None" = None

    def describe(self) -> Description:
        last = f", then {self.keys.describe()}" if self.keys else ""
        return Description(
            f"NOTIFY through {self.pbx} (Asterisk, PJSIP); without effect, directly to a phone registered by UDP{last}"
        )

    def send(self, user: str, transaction: str) -> Sent:
        with ami_session(self.target) as session:
            registration, exchange = restart_pjsip(
                session, endpoint=user, mac=self.mac, ip=self.ip, action=self.action, stamps=self.stamps
            )
        return _sent_by_asterisk("ami-pjsip", exchange, registration)

    def after_no_effect(self, contact: str) -> "list[RestartStrategy]":
        """The other ways, in order, where Asterisk tells a Call-ID that is no longer the phone's (Asterisk spec §B).

        Only the phone's own address is spoken to, whatever a contact says: it comes from a server of the account.
        """
        place = place_of(contact)
        if place is None or place.transport != "udp" or place.host != self.ip:
            return []
        target = NotifyTarget(self.ip, place.port or 5060, networks=self.target.networks)
        directly = SipNotify(target, f"{target.host}:{target.port}", self.action, self.stamps)
        return [directly, self.keys] if self.keys else [directly]


@dataclass(frozen=True)
class AmiChanSip(_ThroughAsterisk):
    """SIP phone at an Asterisk with chan_sip."""

    stamps: Stamps
    mac: str
    ip: str

    def describe(self) -> Description:
        return Description(
            f"NOTIFY through {self.pbx} (Asterisk, chan_sip); if that does not know the Call-ID of the registration, "
            f"its own NOTIFY “cisco-{self.action}” of sip_notify.conf, or one without a Call-ID"
        )

    def send(self, user: str, transaction: str) -> Sent:
        with ami_session(self.target) as session:
            registration, exchange = restart_chan_sip(
                session, peer=user, mac=self.mac, ip=self.ip, action=self.action, stamps=self.stamps
            )
        return _sent_by_asterisk("ami-chan-sip", exchange, registration)


def _sent_by_asterisk(method: str, exchange: Exchange, registration: ContactRegistration) -> Sent:
    remembered = {
        "registration": registration.call_id,
        "endpoint": registration.name,
        "contact": registration.uri,
        "expires": registration.expires,
        "software": registration.software,
    }
    return Sent(method, exchange, remembered, result="Sent by Asterisk")


@dataclass(frozen=True)
class AmiSccp(_ThroughAsterisk):
    """SCCP phone at an Asterisk with chan-sccp-b; only where that is not loaded, `otherwise` is sent instead.

    No other refusal leads to the fall-back: "device not found" means that the phone is not where it is expected.
    """

    device_name: str
    otherwise: RestartStrategy

    def describe(self) -> Description:
        return Description(
            f"SCCPDeviceRestart through {self.pbx}; if that has no chan-sccp-b: {self.otherwise.describe()}"
        )

    def send(self, user: str, transaction: str) -> Sent:
        try:
            with ami_session(self.target) as session:
                exchange = restart_sccp(session, device_name=self.device_name, type=self.action)
        except TransportError as error:
            if error.code != "unknown-action":
                raise
            return self.otherwise.send(user, transaction)
        return Sent("ami-sccp", exchange, result="Sent by Asterisk")


@dataclass(frozen=True)
class KeyPresses:
    """The keys that a person would press to restart the phone, pushed over HTTP.

    `phone` is called only when keys are pressed: it reads the push password, which a description has no need of.
    """

    macro: Macro
    phone: Callable[[], PhoneWeb]

    def describe(self) -> Description:
        return Description(f"Key presses “{self.macro.name}”")

    def send(self, user: str, transaction: str) -> Sent:
        return Sent("key-macro", run_macro(self.phone(), self.macro), {"macro": self.macro.name})

    def is_idempotent(self, after: timedelta) -> bool:
        """Keys pressed in another menu than the one they are meant for do something else."""
        return False


@dataclass(frozen=True)
class CannotRestart:
    """The way that the phone would be restarted, with something missing for it: nothing is sent."""

    way: str
    code: str
    trouble: str

    def describe(self) -> Description:
        return Description(self.way, self.trouble)

    def send(self, user: str, transaction: str) -> Sent:
        raise TransportError(self.trouble, permanent=True, code=self.code)

    def is_idempotent(self, after: timedelta) -> bool:
        return True


# What the phone, or who knows its registration, says of a line that it does not have.
NO_LINE = ("sip-404", "not-registered", "device-not-found")


@dataclass(frozen=True)
class FirstContact:
    """A phone of which no line is known: it may not have one yet. What needs none is tried after what needs one.

    `without_line` are other ways, each with the user that it is sent to.
    """

    first: RestartStrategy
    without_line: tuple[tuple[RestartStrategy, str], ...]

    def describe(self) -> Description:
        ways = ", then ".join(str(way.describe()) for way, _ in self.without_line)
        first = self.first.describe()
        return Description(
            f"{first.way}; if the phone has no line yet: {ways or 'it takes its file when it starts'}", first.trouble
        )

    def send(self, user: str, transaction: str) -> Sent:
        said: list[TransportError] = []
        for way, name in ((self.first, user), *self.without_line):
            try:
                # Another user is another request, so it must not look like a retransmission of the one before.
                return way.send(user=name, transaction=f"{transaction}-{len(said)}" if said else transaction)
            except TransportError as error:
                # Without a line a phone may not even listen for SIP.
                is_deaf = isinstance(way, SipNotify) and error.code == "refused"
                if not said and not is_deaf and error.code not in NO_LINE:
                    raise
                said.append(error)
        requests, answers = [one.request for one in said], [one.answer for one in said]
        exchange = Exchange("\n\n".join(filter(None, requests)), "\n\n".join(filter(None, answers)))
        reasons = " ".join(f"{one.message.rstrip('.')}." for one in said)
        raise TransportError(
            f"The phone has no line yet, and nothing else restarts it: it takes its file when it starts. {reasons}",
            permanent=True,
            code="no-line",
            exchange=exchange,
        )

    def is_idempotent(self, after: timedelta) -> bool:
        return self.first.is_idempotent(after) and not self.without_line
