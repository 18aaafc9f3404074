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
from contacts_app.core.tables import table
from phones_app.transports.phone_web import PhoneWeb, WebAnswer, parse_document, phone_session
from phones_app.transports.restart.key_macros import Macro

PATH = "/CGI/Execute"  # phones tell upper case from lower

MAX_URL = 256  # Cisco phones spec §1.1

_ERRORS: dict[str, list[str]] = table(__file__, "answers.toml")["cgi"]


@dataclass(frozen=True)
class ExecuteResult:
    """The phone's answer to one URI: status "0" is done, anything else is not, and `data` says why."""

    status: str
    data: str
    exchange: Exchange


def execute(phone: PhoneWeb, uri: str) -> ExecuteResult:
    """Let the phone execute a URI; one in a request, because a phone keeps no order among several.

    TransportError when the phone refused the request as a whole or is no phone; its code `authentication`
    means the push account or the authentication URL.
    """
    if not uri or not uri.isprintable() or len(uri) > MAX_URL:
        fault = f"Nothing was sent: a URI is printable and has 1 to {MAX_URL} characters"
        raise TransportError(fault, permanent=True, code="invalid-value")
    item = f'<ExecuteItem Priority="0" URL={quoteattr(uri)}/>'
    document = f"<CiscoIPPhoneExecute>{item}</CiscoIPPhoneExecute>"
    with phone_session(phone) as session:
        answer = session.post_form(PATH, f"XML={quote(document, safe='')}".encode("ascii"))
    return _result(phone, answer)


def run_macro(phone: PhoneWeb, macro: Macro, sleep: Callable[[float], object] = time.sleep) -> Exchange:
    """Press the keys of a macro.

    The last key restarts the phone, which may then hang up without an answer; before that it is an error.
    """
    said: list[Exchange] = []
    for number, step in enumerate(macro.steps, start=1):
        try:
            result = execute(phone, step.uri)
            if result.status not in ("0", ""):
                fault = f"{result.data or 'refused'} (status {result.status})"
                raise TransportError(fault, code="item-refused", exchange=result.exchange)
            said.append(result.exchange)
        except TransportError as error:
            said.append(error.exchange)
            if 1 < number == len(macro.steps) and error.code in ("closed", "timeout"):
                said.append(Exchange("", "(the phone went away without an answer, as one that restarts may do)"))
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


def _result(phone: PhoneWeb, answer: WebAnswer) -> ExecuteResult:
    root = parse_document(answer.body)
    if answer.status in (401, 403):
        fault = f"{phone.peer} wants other credentials (HTTP {answer.status})"
        raise TransportError(fault, permanent=True, code="authentication", exchange=answer.exchange)
    if root is not None and root.tag == "CiscoIPPhoneError":
        number = _attribute(root, "Number")
        meaning, code = _ERRORS.get(number, ("the phone does not say what is wrong", "phone-error"))
        raise TransportError(f"Error {number or '?'}: {meaning}", code=code, exchange=answer.exchange)
    if answer.status == 200 and root is not None and root.tag == "CiscoIPPhoneResponse":
        item = root.find(".//ResponseItem")
        status, data = ("", "") if item is None else (_attribute(item, "Status"), _attribute(item, "Data"))
        return ExecuteResult(status, data, answer.exchange)
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
