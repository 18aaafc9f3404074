"""Talks to the small web server inside a phone: bounded requests, its sloppy XML, its status pages.

The status pages say which phone is there, what it runs, and whether it is in a call. They need no credentials and are
there only while the phone's file says `webAccess` 0 (Cisco phones spec §5). httpcore is used without httpx around it,
held to the checked address and one deadline (`core.net.http`): it follows no redirects, keeps no cookies and knows no
proxies.
"""

import re
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpcore
from lxml import etree

from contacts_app.core.errors import Exchange, TransportError
from contacts_app.core.net.http import HTTP_FAILURES, CheckedBackend, basic_token, http_failure
from contacts_app.core.net.wire import Deadline, Networks, checked_address, evidence

MAX_BYTES = 65_536

_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>")
# Only encodings of plain text: Python knows others, some of them slow on purpose-made input.
_ENCODING = re.compile(
    rb"<\?xml\b[^>]*?encoding\s*=\s*[\"'](iso-8859-\d+|windows-\d+|shift_jis|euc-\w+|gb\d+|big5)[\"']", re.IGNORECASE
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class PhoneWeb:
    """A phone's web server, and the account for pushes to it. `timeout` is for a whole call."""

    host: str
    port: int = 80
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    networks: Networks | None = None
    timeout: float = 5.0

    @property
    def peer(self) -> str:
        return f"{self.host}:{self.port} ({'HTTPS' if self.tls else 'HTTP'})"


@dataclass(frozen=True)
class WebAnswer:
    """One answer of the phone: status, whole body, and the exact texts with the password masked."""

    status: int
    body: bytes
    exchange: Exchange


class PhoneSession:
    """Requests to one phone within one deadline, on one connection as long as the phone keeps it open."""

    def __init__(self, phone: PhoneWeb, pool: httpcore.ConnectionPool) -> None:
        self._phone = phone
        self._pool = pool

    def get(self, target: str, *, account: bool = False, limit: int = MAX_BYTES, begin: bool = False) -> WebAnswer:
        """Read a page; only some, such as the screen, want the push account (Cisco phones spec §5).

        `begin`: of what is longer than `limit` only so much is read; else it is an error.
        """
        headers = [*(self._authorization() if account else ()), ("Accept", "text/xml, */*")]
        return self._exchange("GET", target, headers, b"", limit, begin)

    def post_form(self, target: str, body: bytes) -> WebAnswer:
        """Post an encoded form with the push account, if there is one."""
        headers = (
            *self._authorization(),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        )
        return self._exchange("POST", target, headers, body)

    def _authorization(self) -> list[tuple[str, str]]:
        phone = self._phone
        credentials = f"Basic {basic_token(phone.username, phone.password)}"
        return [("Authorization", credentials)] if phone.username else []

    def _exchange(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        limit: int = MAX_BYTES,
        begin: bool = False,
    ) -> WebAnswer:
        phone = self._phone
        host = f"[{phone.host}]" if ":" in phone.host else phone.host
        default_port = 443 if phone.tls else 80
        fields = [("Host", host if phone.port == default_port else f"{host}:{phone.port}"), *headers]
        url = httpcore.URL(scheme="https" if phone.tls else "http", host=phone.host, port=phone.port, target=target)
        sent = evidence(_request_text(method, target, fields, body))
        head, received = "", bytearray()
        try:
            with self._pool.stream(method, url, headers=fields, content=body or None) as response:
                head = _head_text(response)
                for chunk in response.iter_stream():
                    received += chunk
                    if len(received) > limit:
                        break
        except HTTP_FAILURES as error:
            exchange = Exchange(sent, evidence(head + _readable(received)))
            raise http_failure(error, phone.peer, exchange) from error
        exchange = Exchange(sent, evidence(head + _readable(received)))
        if len(received) > limit and not begin:
            fault = f"{phone.peer} answers with more than {limit} bytes"
            raise TransportError(fault, code="too-large", exchange=exchange)
        return WebAnswer(response.status, bytes(received), exchange)


@contextmanager
def phone_session(phone: PhoneWeb, *, timeout: float | None = None) -> Iterator[PhoneSession]:
    """Open a session; the connection is made with the first request, to the checked address alone."""
    address = checked_address(phone.networks, phone.host, phone.port)
    deadline = Deadline.after(phone.timeout if timeout is None else timeout)
    pool = httpcore.ConnectionPool(
        ssl_context=_lenient_tls() if phone.tls else None,
        max_connections=1,
        network_backend=CheckedBackend(address, deadline),
    )
    with pool:
        yield PhoneSession(phone, pool)


def parse_document(body: bytes) -> etree._Element | None:
    """Read a phone's XML as leniently as is safe; None when there is no element in it.

    Phones write no declaration, several, or a wrong one, latin-1 without saying so, raw ampersands and
    control characters (Cisco phones spec §1.2, §5). What they never write is a DTD, so none is accepted.
    """
    text = _readable(body)
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        return None
    text = _CONTROLS.sub("", _DECLARATION.sub("", text)).strip("\ufeff \t\r\n")
    # Whatever a declaration says that is still there, such as a broken one: these are the bytes of our own text.
    parser = etree.XMLParser(encoding="utf-8", recover=True, resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser) if text else None
    except etree.XMLSyntaxError:
        return None
    return root if root is not None and isinstance(root.tag, str) else None


def _lenient_tls() -> ssl.SSLContext:
    """Phones have certificates that no public authority signed, and old ones know only TLS 1.0."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def _request_text(method: str, target: str, fields: list[tuple[str, str]], body: bytes) -> str:
    shown = [(name, "Basic ***" if name == "Authorization" else value) for name, value in fields]
    head = "".join(f"{name}: {value}\r\n" for name, value in shown)
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n{body.decode('ascii', 'replace')}"


def _head_text(response: httpcore.Response) -> str:
    reason = response.extensions.get("reason_phrase", b"").decode("latin-1")
    lines = [f"HTTP/1.1 {response.status} {reason}".rstrip()]
    lines += [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""])


def _readable(body: bytes | bytearray) -> str:
    """Decode by the declaration, else as UTF-8, else as latin-1, which never fails."""
    declared = _ENCODING.search(body[:1024])
    for encoding in (declared[1].decode() if declared else "utf-8", "utf-8"):
        try:
            return bytes(body).decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return bytes(body).decode("latin-1")


# The same page on newer phones and on the Java generation (79x1 to 797x).
_DEVICE_PAGES = ("/DeviceInformationX", "/CGI/Java/Serviceability?adapterX=device.statistics.device")
_STREAM_PAGES = tuple(f"/StreamingStatisticsX?{number}" for number in (1, 2, 3))

# How a load's name begins, in lower case: what it speaks (Cisco phones spec §4.9, §5). The first fit counts.
_SOFTWARE = (
    ("p0s3", "SIP"),
    ("sip", "SIP"),
    ("p00", "SCCP"),
    ("sccp", "SCCP"),
    ("apps37sccp", "SCCP"),
    ("cp79", "SCCP"),
)

# How the time since the start is called, in lower case; and what its numbers count, from the last one on.
_UPTIMES = ("uptime", "elapsedtime")
_UNITS = (1, 60, 3600, 86_400)
_LONGEST_UPTIME = 86_400 * 36_500

_MODEL = re.compile(r"\d{3,4}")


@dataclass(frozen=True)
class PhoneStatus:
    """What the phone says of itself; a field that its generation does not have is empty."""

    mac: str  # 12 upper-case hex digits
    host_name: str
    model: str  # the bare number, such as 8841
    load: str
    software: str | None  # SIP, SCCP, or None when the load does not tell
    directory_number: str
    serial: str
    version: str
    uptime: timedelta | None  # since it started; many do not tell
    exchange: Exchange


def read_status(target: PhoneWeb, *, timeout: float = 2.0) -> PhoneStatus:
    """Ask the phone what it is. TransportError `not-a-status-page` when something else answers."""
    with phone_session(target, timeout=timeout) as session:
        try:
            values, exchange = _read(session, target, _DEVICE_PAGES[0], "DeviceInformation")
        except TransportError as error:
            if error.code != "not-a-status-page":
                raise
            values, exchange = _read(session, target, _DEVICE_PAGES[1], "DeviceInformation")
    mac = re.sub(r"[^0-9A-F]", "", values.get("macaddress", "").upper())
    model = _MODEL.search(values.get("modelnumber", ""))
    load = values.get("apploadid", "") or values.get("phoneloadid", "")
    return PhoneStatus(
        mac=mac if len(mac) == 12 else "",
        host_name=values.get("hostname", ""),
        model=model[0] if model else "",
        load=load,
        software=next((name for start, name in _SOFTWARE if load.lower().startswith(start)), None),
        directory_number=values.get("phonedn", ""),
        serial=values.get("serialnumber", ""),
        version=values.get("versionid", ""),
        uptime=_uptime(next((values[name] for name in _UPTIMES if values.get(name)), "")),
        exchange=exchange,
    )


def _uptime(text: str) -> timedelta | None:
    """Seconds, `h:m:s`, or either after a number of days: generations and languages differ in the words between."""
    numbers = [int(digits) for digits in re.findall(r"\d{1,9}", text)]
    if not 1 <= len(numbers) <= len(_UNITS):
        return None
    seconds = sum(number * unit for number, unit in zip(reversed(numbers), _UNITS, strict=False))
    return timedelta(seconds=seconds) if seconds < _LONGEST_UPTIME else None


def read_streams(target: PhoneWeb, *, timeout: float = 3.0) -> bool | None:
    """Say whether the phone is in a call: True at the first active stream, None when it cannot be told.

    Some phones have fewer streams than three; one page that is readable is enough to say no.
    """
    answered = False
    try:
        with phone_session(target, timeout=timeout) as session:
            for page in _STREAM_PAGES:
                values, _ = _read(session, target, page, "StreamingStatistics")
                if values.get("streamstatus", "").lower() == "active":
                    return True
                answered = answered or "streamstatus" in values
    except TransportError as error:
        # A later page that is not there is the end of the streams; a phone that fell silent is no evidence.
        return False if answered and error.code == "not-a-status-page" else None
    return False if answered else None


def _read(session: PhoneSession, target: PhoneWeb, page: str, root: str) -> tuple[dict[str, str], Exchange]:
    """Return the page's elements under their names in lower case; the content type is not looked at."""
    answer = session.get(page)
    document = parse_document(answer.body) if answer.status == 200 else None
    if document is None or document.tag != root:
        instead = "" if document is None else f" but with <{document.tag}>"
        raise TransportError(
            f"{target.peer} answers {page} with HTTP {answer.status}{instead}: no status page of a Cisco phone",
            code="not-a-status-page",
            exchange=answer.exchange,
        )
    values: dict[str, str] = {}
    for element in document.iter():
        if isinstance(element.tag, str):
            values.setdefault(element.tag.lower(), (element.text or "").strip())
    return values, answer.exchange
