"""Reads a phone's status pages: which phone is there, what it runs, and whether it is in a call.

The pages need no credentials and are there only while the phone's file says `webAccess` 0 (Cisco phones
spec §5).
"""

import re
from dataclasses import dataclass

from contacts_app.core.errors import Exchange, TransportError
from phones_app.transports.status.phone_web import PhoneSession, PhoneWeb, parse_document, phone_session

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
        exchange=exchange,
    )


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
