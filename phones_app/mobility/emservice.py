"""CUCM's extension mobility API as values: what a request asks for, and the XML of an answer (Cisco phones spec §6.3).

What is asked for is done in `mobility.cucm`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from lxml import etree
from lxml.builder import E  # type: ignore[import-not-found]

from phones_app.mobility.codes import EmCode

MAX_BYTES = 64 * 1024
MOST_NAMES = 100
LONGEST_MINUTES = 100 * 365 * 24 * 60
ACTIONS = ("login", "logout", "logoutAll")
# The documentation calls the last one both names.
QUERIES = ("deviceUserQuery", "userDevicesQuery", "checkUser", "deviceProfileQuery", "userDeviceProfileQuery")


class EmRefused(Exception):
    """The answer is a failure with this code; `words` instead of the code's own."""

    def __init__(self, code: EmCode, words: str = "") -> None:
        super().__init__(words or code.label)
        self.code, self.words = code, words or code.label


@dataclass(frozen=True)
class EmRequest:
    """`what` is one of `ACTIONS` and `QUERIES`; `minutes` None: as long as the policy allows."""

    what: str
    app_id: str
    app_certificate: str
    devices: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    profile: str = ""
    minutes: int | None = None


def read_request(xml: bytes) -> EmRequest:
    """Raises EmRefused for what CUCM would not read either."""
    root = _parsed(xml)
    kinds = {"request": ACTIONS, "query": QUERIES}.get(root.tag, ())
    asked = [child for child in root if isinstance(child.tag, str) and child.tag != "appInfo"]
    if not kinds or len(asked) != 1:
        raise EmRefused(EmCode.UNREADABLE)
    [body] = asked
    if body.tag not in kinds:
        raise EmRefused(EmCode.UNKNOWN_QUERY if root.tag == "query" else EmCode.UNREADABLE)
    return EmRequest(
        what="deviceProfileQuery" if body.tag == "userDeviceProfileQuery" else body.tag,
        app_id=_text(root, "appInfo/appID"),
        app_certificate=_text(root, "appInfo/appCertificate"),
        devices=_texts(body, "deviceName"),
        # CUCM writes them percent-encoded, and takes them both ways.
        users=tuple(map(unquote, _texts(body, "userID"))),
        profile=_text(body, "deviceProfile"),
        minutes=_minutes(_text(body, "exclusiveDuration/time")),
    )


def success() -> bytes:
    return _response(E.success())


def failure(code: EmCode, words: str) -> bytes:
    return _response(E.failure(E.error(words, code=str(code.value))))


def users_of_devices(results: Iterable[tuple[str, str | None, str]]) -> bytes:
    """Device as it was asked for, who is logged in there (None: there is no such phone), and who was last."""
    devices = []
    for device, user, last in results:
        if user is None:
            devices.append(E.device(E.doesNotExist(), name=device))
            continue
        logged_in = E.userID(quote(user, safe="")) if user else E.none()
        devices.append(E.device(logged_in, *([E.lastlogin(quote(last, safe=""))] if last else ()), name=device))
    return _response(E.deviceUserResults(*devices))


def devices_of_users(results: Iterable[tuple[str, Sequence[str] | None]]) -> bytes:
    """User as asked for, and the names of the phones where they are logged in; None: there is no such person."""
    users = []
    for user, devices in results:
        told = [E.doesNotExist()] if devices is None else [E.deviceName(name) for name in devices] or [E.none()]
        users.append(E.user(*told, id=quote(user, safe="")))
    return _response(E.userDevicesResults(*users))


def profiles_of_users(results: Iterable[tuple[str, Sequence[str] | None]]) -> bytes:
    """User as asked for, and the names of their device profiles, the one that they get unasked first."""
    users = []
    for user, names in results:
        told = [
            E.deviceProfile(E.deviceProfileName(name), E.isDefaultDeviceProfile("f" if number else "t"))
            for number, name in enumerate(names or ())
        ]
        users.append(E.user(*(told or [E.doesNotExist() if names is None else E.none()]), id=quote(user, safe="")))
    return _response(E.deviceProfileResults(*users))


def _parsed(xml: bytes) -> etree._Element:
    if len(xml) > MAX_BYTES:
        raise EmRefused(EmCode.UNREADABLE)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(xml.strip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise EmRefused(EmCode.UNREADABLE) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise EmRefused(EmCode.UNREADABLE)
    return root


def _text(element: etree._Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _texts(element: etree._Element, name: str) -> tuple[str, ...]:
    found = tuple((each.text or "").strip() for each in element.findall(name))
    if len(found) > MOST_NAMES:
        raise EmRefused(EmCode.UNREADABLE, f"At most {MOST_NAMES} names at once")
    return found


def _minutes(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 0 < int(text) <= LONGEST_MINUTES):
        raise EmRefused(EmCode.UNREADABLE)
    return int(text)


def _response(content: etree._Element) -> bytes:
    body: bytes = etree.tostring(E.response(content), encoding="UTF-8", xml_declaration=True)
    return body
