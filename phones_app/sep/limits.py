"""How long texts and how many entries a phone takes: tables and two checks (Cisco phones spec §4.4)."""

from __future__ import annotations

from collections.abc import Iterator

from phones_app.sep.document import Document, Element, integer_of, value_of

_LINE = "sipProfile/sipLines/line/"

# authenticationURL, secureServicesURL … are children of the root which share an ending instead of a path.
_URL_ENDING = "URL"
_URL_LENGTH = 255

MAX_LENGTHS: tuple[tuple[str, int], ...] = (
    *((_LINE + tag, 30) for tag in ("name", "authName", "authPassword", "featureLabel", "displayName")),
    (_LINE + "serviceURI", _URL_LENGTH),
    ("sipProfile/phoneLabel", 12),
    (".//callManager/processNodeName", 50),
    (".//ntp/name", 50),
    ("phoneServices/phoneService/url", _URL_LENGTH),
)

# The path to the parents, and the beginning of the names of the children to count (certHash1, certHash2 …).
MAX_COUNTS: tuple[tuple[str, str, int], ...] = (
    (".//callManagerGroup/members", "member", 5),
    (".//vpnGroup/addresses", "url", 3),
    (".//vpnGroup/credentials", "certHash", 10),
    ("addOnModules", "addOnModule", 3),
)

Remark = tuple[str, Element | None]


def too_long(document: Document) -> Iterator[Remark]:
    """Yield the texts which a phone would cut or refuse; without the texts, as some are secret."""
    limited = [(element, limit) for path, limit in MAX_LENGTHS for element in document.find_all(path)]
    urls = [(child, _URL_LENGTH) for child in document.find_all("*") if child.tag.endswith(_URL_ENDING)]
    for element, limit in limited + urls:
        length = len(value_of(element))
        if length > limit:
            yield f"{element.tag} has {length} characters; phones take {limit}", element


def too_many(document: Document, *, max_calls: int | None) -> Iterator[Remark]:
    """Yield what there is more of than a phone takes; `max_calls` is the model's ceiling, if known."""
    for path, prefix, limit in MAX_COUNTS:
        for parent in document.find_all(path):
            count = sum(child.tag.startswith(prefix) for child in parent)
            if count > limit:
                yield f"{parent.tag} has {count} entries; phones take {limit}", parent
    if max_calls is None:
        return
    for element in document.find_all(_LINE + "maxNumCalls"):
        calls = integer_of(element)
        if calls is not None and calls > max_calls:
            yield f"maxNumCalls is {calls}; this model takes {max_calls}", element
