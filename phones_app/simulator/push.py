"""How a phone reads a pushed CiscoIPPhoneExecute object and answers it (Cisco phones spec §1.1 to §1.3)."""

import re
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import quoteattr

from lxml import etree

from contacts_app.core.tables import table
from phones_app.simulator.generations import Generation

MAX_ITEMS = 3
MAX_WEB_ITEMS = 1
ERROR_PARSE = 1
ERROR_AUTHENTICATION = 4

_SUCCESS = ("0", "Success")
_INVALID = ("1", "Invalid URI")
_NOT_FOUND = ("6", "URI not found")

_URIS = {scheme: re.compile(rest) for scheme, rest in table(__file__, "uris.toml").items()}
_PRESSES = ("Key", "SoftKey")
_WEB_SCHEMES = ("http", "https")


class PushRejectedError(ValueError):
    """The pushed object cannot be understood as a whole."""


def read_items(xml: bytes) -> list[str]:
    """Return the URIs of the items as written; PushRejectedError for what a phone would not take."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise PushRejectedError(str(error)) from error
    if root.tag != "CiscoIPPhoneExecute":
        raise PushRejectedError(f"{root.tag} is not simulated")
    uris = [item.get("URL", "") for item in root.findall("ExecuteItem")]
    from_web = [uri for uri in uris if uri.partition(":")[0] in _WEB_SCHEMES]
    if not 1 <= len(uris) <= MAX_ITEMS or len(from_web) > MAX_WEB_ITEMS:
        raise PushRejectedError("too many items or none")
    return uris


def write_response(uris: Sequence[str], generation: Generation) -> bytes:
    """Return the answer, one item for each."""
    items = []
    for uri in uris:
        status, text = _outcome(uri, generation)
        values = {"Status": status, "Data": text, "URL": uri}
        items.append(_element("ResponseItem", [(name, values[name]) for name in generation.item_attributes]))
    return _document(generation, f"<CiscoIPPhoneResponse>{''.join(items)}</CiscoIPPhoneResponse>")


def key_presses(uris: Sequence[str], generation: Generation) -> list[str]:
    """Return the keys to press, the last item first.

    The order in which a phone takes the items is not guaranteed (Cisco phones spec §1.1); this one turns it round,
    so that a client which relies on it is found out.
    """
    keys = [uri for uri in uris if uri.partition(":")[0] in _PRESSES and _outcome(uri, generation) == _SUCCESS]
    return keys[::-1]


def write_error(generation: Generation, number: int) -> bytes:
    return _document(generation, _element("CiscoIPPhoneError", [("Number", str(number))]))


def _outcome(uri: str, generation: Generation) -> tuple[str, str]:
    scheme, colon, rest = uri.partition(":")
    if not colon or not scheme:
        return _INVALID
    if scheme in _WEB_SCHEMES:
        return _SUCCESS
    if scheme not in _URIS or scheme in generation.unknown_schemes:
        return _INVALID
    return _SUCCESS if _URIS[scheme].fullmatch(rest) else _NOT_FOUND


def _element(name: str, attributes: Iterable[tuple[str, str]]) -> str:
    """Write an empty element whose attributes keep their order."""
    return f"<{name} {' '.join(f'{key}={quoteattr(text)}' for key, text in attributes)}/>"


def _document(generation: Generation, xml: str) -> bytes:
    text = f'<?xml version="1.0" encoding="{generation.encoding}"?>\r\n{xml}\r\n'
    return text.encode(generation.encoding, "xmlcharrefreplace")
