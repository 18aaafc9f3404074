"""Pushes commands to a phone over HTTP (`CGI/Execute`), one at a time or as a key macro.

What such a push can do is in Cisco phones spec §1.3; restarting is not among it except by simulated keys.
"""

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from lxml import etree

from contacts_app.core.errors import Exchange, TransportError
from contacts_app.core.net.wire import evidence
from phones_app.transports.restart.key_macros import KeyMacro
from phones_app.transports.status.phone_web import PhoneWeb, WebAnswer, parse_document, phone_session

__all__ = ["ExecuteResult", "ItemResult", "PhoneWeb", "execute", "run_macro"]

PATH = "/CGI/Execute"  # phones tell upper case from lower

# Cisco phones spec §1.1. The phone takes 40 KB, but small ones have been seen to fail long before.
MAX_ITEMS = 3
MAX_URL = 256
MAX_DOCUMENT = 512

# The whole request failed: number, what it means, and a code for programs (Cisco phones spec §1.2).
_ERRORS = {
    "1": ("the phone could not read the request", "phone-error"),
    "2": ("the phone could not put its answer together", "phone-error"),
    "3": ("the phone had an internal file error", "phone-error"),
    "4": (
        "the phone did not accept the credentials, or its authentication URL is unreachable, slow, or "
        "answers anything but AUTHORIZED",
        "authentication",
    ),
}


@dataclass(frozen=True)
class ItemResult:
    """What became of one URI: status "0" is done, anything else is not, and `data` says why."""

    url: str
    status: str
    data: str

    @property
    def done(self) -> bool:
        return self.status == "0"


@dataclass(frozen=True)
class ExecuteResult:
    items: list[ItemResult]
    exchange: Exchange

    @property
    def done(self) -> bool:
        """A request is done when all of it is; HTTP's 200 says nothing about that."""
        return bool(self.items) and all(item.done for item in self.items)


def execute(phone: PhoneWeb, uris: list[str]) -> ExecuteResult:
    """Let the phone execute up to three URIs, in an order of its own choice, and return what became of each.

    TransportError when the phone refused the request as a whole or is no phone; its code `authentication`
    means the push account or the authentication URL.
    """
    document = _document(uris)
    with phone_session(phone) as session:
        answer = session.post_form(PATH, f"XML={quote(document, safe='')}".encode("ascii"))
    return ExecuteResult(_items(phone, answer), answer.exchange)


def run_macro(phone: PhoneWeb, macro: KeyMacro, sleep: Callable[[float], object] = time.sleep) -> Exchange:
    """Press the keys of a macro, each in a request of its own, because a phone keeps no order within one.

    The last key restarts the phone, which may then hang up without an answer; before that it is an error.
    """
    said: list[Exchange] = []
    for number, step in enumerate(macro.steps, start=1):
        try:
            result = execute(phone, [step.uri])
            said.append(result.exchange)
            failed = next((item for item in result.items if not item.done), None)
            if failed:
                raise TransportError(
                    f"{failed.data or 'refused'} (status {failed.status})", code="item-refused"
                )
        except TransportError as error:
            said.append(error.exchange)
            if 1 < number == len(macro.steps) and error.code in ("closed", "timeout"):
                said.append(
                    Exchange("", "(the phone went away without an answer, as one that restarts may do)")
                )
                break
            raise TransportError(
                f"Step {number} of {len(macro.steps)}, {step.uri}: {error.message}",
                error.permanent,
                code=error.code,
                exchange=_joined(said),
            ) from error
        sleep(step.pause)
    return _joined(said)


def _joined(said: list[Exchange]) -> Exchange:
    requests, answers = (filter(None, texts) for texts in zip(*map(astuple, said), strict=True))
    return Exchange(evidence("\n\n".join(requests)), evidence("\n\n".join(answers)))


def _document(uris: list[str]) -> str:
    """Write the request; what the phone would refuse or cut off is refused here."""
    items = "".join(f'<ExecuteItem Priority="0" URL={quoteattr(uri)}/>' for uri in uris)
    document = f"<CiscoIPPhoneExecute>{items}</CiscoIPPhoneExecute>"
    if not 0 < len(uris) <= MAX_ITEMS:
        fault = f"a request has 1 to {MAX_ITEMS} URIs, not {len(uris)}"
    elif sum(uri.lower().startswith(("http:", "https:")) for uri in uris) > 1:
        fault = "a request has at most one http URL"
    elif not all(uri and uri.isprintable() and len(uri) <= MAX_URL for uri in uris):
        fault = f"a URI is printable and has 1 to {MAX_URL} characters"
    elif len(document) > MAX_DOCUMENT:
        fault = f"the request is longer than {MAX_DOCUMENT} characters"
    else:
        return document
    raise TransportError(f"Nothing was sent: {fault}", permanent=True, code="invalid-value")


def _items(phone: PhoneWeb, answer: WebAnswer) -> list[ItemResult]:
    root = parse_document(answer.body)
    if answer.status in (401, 403):
        fault = f"{phone.peer} wants other credentials (HTTP {answer.status})"
        raise TransportError(fault, permanent=True, code="authentication", exchange=answer.exchange)
    if root is not None and root.tag == "CiscoIPPhoneError":
        number = _attribute(root, "Number")
        meaning, code = _ERRORS.get(number, ("the phone does not say what is wrong", "phone-error"))
        raise TransportError(f"Error {number or '?'}: {meaning}", code=code, exchange=answer.exchange)
    if answer.status == 200 and root is not None and root.tag == "CiscoIPPhoneResponse":
        fields = ("URL", "Status", "Data")
        return [ItemResult(*(_attribute(i, name) for name in fields)) for i in root.iter("ResponseItem")]
    if answer.status == 404:
        fault = f"{phone.peer} has no {PATH}: not a Cisco phone, or one with multiplatform firmware"
        raise TransportError(fault, permanent=True, code="no-cgi", exchange=answer.exchange)
    what = f"<{root.tag}>" if root is not None else "nothing readable"
    fault = f"{phone.peer} answers HTTP {answer.status} with {what} instead of a CiscoIPPhoneResponse"
    raise TransportError(fault, code="unexpected-answer", exchange=answer.exchange)


def _attribute(element: etree._Element, name: str) -> str:
    """Return an attribute whatever its case, which differs between models like the order."""
    values = {str(key).lower(): str(value) for key, value in element.attrib.items()}
    return values.get(name.lower(), "").strip()
