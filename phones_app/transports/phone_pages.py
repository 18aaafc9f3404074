"""What stands on a phone's web pages, for people: sections of facts, its log, its screen as a picture.

The pages and what is read of them are a table (`phone_pages.toml`), because generations name them differently. What
comes is not trusted: it is bounded in size and time, and a picture is drawn anew before anybody gets it.
"""

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import etree
from PIL import Image

from contacts_app.core.errors import TransportError
from contacts_app.core.tables import table
from phones_app.transports.phone_web import PhoneSession, PhoneWeb, WebAnswer, parse_document, phone_session

# A picture of 800 × 480 points with three bytes each, and its header.
MAX_PICTURE_BYTES = 2 * 1024 * 1024
MAX_SIDE = 2000
PICTURES = ("PNG", "BMP")
SECONDS = 8.0
MOST_ROWS, MOST_LINES, LONGEST = 60, 300, 300
# Of a file of the console log, packed or not, so much is shown: its beginning.
MAX_LOG_BYTES = 256 * 1024

_TABLE = table(__file__, "phone_pages.toml")
GZIP = b"\x1f\x8b"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A file of the console log, as a link to it names it: on newer phones /FS/messages.0, on others /FS/cache/log12.log.
_LOG_FILE = re.compile(
    rb"""href\s*=\s*["']?(/?[\w./-]{1,120}?(?:messages(?:\.\d+)?|\.log|\.gz))["'\s>]""", re.IGNORECASE
)


@dataclass(frozen=True)
class Section:
    """Rows under `headings`; without rows, `note` says why."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Of a section of a single row: each heading with its text."""
        return [(name, text) for name, text in zip(self.headings, self.rows[0], strict=True) if text]


@dataclass(frozen=True)
class PhoneLog:
    """The status messages of the phone, the newest as it puts them, and the files of its console log."""

    messages: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class LogFile:
    """What stands in a file of the console log, as text; `is_cut`: it is longer than what is shown."""

    name: str
    text: str
    is_cut: bool


def read_sections(phone: PhoneWeb, *, timeout: float = SECONDS) -> list[Section]:
    """All sections of the table, also those without a page. TransportError when the phone does not answer at all."""
    sections: list[Section] = []
    with phone_session(phone, timeout=timeout) as session:
        for entry in _TABLE["section"]:
            headings = tuple(column[0] for column in entry["columns"])
            rows: list[tuple[str, ...]] = []
            note = "This phone has no such page."
            for page in entry["pages"]:
                try:
                    document = _first(session, page, account=entry.get("is_guarded", False))
                except TransportError as error:
                    if not sections:
                        raise
                    note = f"The page does not answer: {error.message}"
                    break
                if document is None:
                    break  # A phone without its second stream has no third one.
                note = "Nothing is up."
                rows += _rows(document, entry["row"], entry["columns"])
            sections.append(_without_empty(Section(entry["title"], headings, tuple(rows[:MOST_ROWS]), note)))
    return sections


def read_log(phone: PhoneWeb, *, timeout: float = SECONDS) -> PhoneLog:
    messages: list[str] = []
    with phone_session(phone, timeout=timeout) as session:
        for page in _TABLE["log"]["messages"]:
            document = _first(session, [page])
            if document is None:
                break
            messages += [text for element in document.iter() if (text := _text(element)) and not len(element)]
        return PhoneLog(tuple(messages[:MOST_LINES]), _log_files(session))


def read_log_file(phone: PhoneWeb, name: str, *, timeout: float = SECONDS) -> LogFile:
    """One of the files that the phone lists now; of another name nothing is asked. TransportError where it is none."""
    with phone_session(phone, timeout=timeout) as session:
        answer = session.get(name, limit=MAX_LOG_BYTES, begin=True) if name in _log_files(session) else None
    if answer is None or answer.status != 200:
        raise TransportError(f"{phone.peer} has no such file of a log", permanent=True, code="no-log-file")
    content = answer.body
    if content.startswith(GZIP):
        try:
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, MAX_LOG_BYTES + 1)
        except zlib.error:
            raise TransportError(f"{phone.peer} sends a packed log that nothing unpacks", code="no-log-file") from None
    text = content[:MAX_LOG_BYTES].decode("utf-8", "replace").replace("\r\n", "\n")
    is_cut = max(len(answer.body), len(content)) > MAX_LOG_BYTES
    return LogFile(name, _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text), is_cut)


def _log_files(session: PhoneSession) -> tuple[str, ...]:
    """By their absolute paths, as the phone links to them."""
    for page in _TABLE["log"]["files"]:
        answer = session.get(page)
        if answer.status == 200:
            names = dict.fromkeys(urljoin(page, name.decode()) for name in _LOG_FILE.findall(answer.body))
            return tuple(names)[:MOST_LINES]
    return ()


def read_screen(phone: PhoneWeb, *, timeout: float = SECONDS) -> bytes:
    """The phone's screen as PNG, whatever format it has itself (Cisco phones spec §1.1)."""
    with phone_session(phone, timeout=timeout) as session:
        for page in _TABLE["screen"]["pages"]:
            answer = session.get(page, account=True, limit=MAX_PICTURE_BYTES)
            if answer.status in (401, 403):
                fault = f"{phone.peer} wants other credentials (HTTP {answer.status})"
                raise TransportError(fault, permanent=True, code="authentication", exchange=answer.exchange)
            if answer.status == 200:
                return _as_png(phone, answer)
    raise TransportError(f"{phone.peer} does not show its screen", permanent=True, code="no-screen")


def _first(session: PhoneSession, pages: list[str], *, account: bool = False) -> etree._Element | None:
    """The first of these pages that the phone has."""
    for page in pages:
        answer = session.get(page, account=account)
        document = parse_document(answer.body) if answer.status == 200 else None
        if document is not None and document.tag not in ("html", "CiscoIPPhoneError"):
            return document
    return None


def _rows(document: etree._Element, row: str, columns: list[list[str]]) -> Iterator[tuple[str, ...]]:
    for element in document.iter():
        if not isinstance(element.tag, str) or element.tag.lower() != row.lower():
            continue
        values: dict[str, str] = {}
        for part in element.iter():
            if isinstance(part.tag, str) and (text := _text(part)):
                values.setdefault(part.tag.lower(), text)
        yield tuple(
            next((values[name.lower()] for name in names if name.lower() in values), "") for _, *names in columns
        )


def _without_empty(section: Section) -> Section:
    """Leave out the columns in which no row has anything: firmware knows different ones."""
    kept = [number for number in range(len(section.headings)) if any(row[number] for row in section.rows)]
    rows = tuple(tuple(row[number] for number in kept) for row in section.rows) if kept else ()
    return Section(section.title, tuple(section.headings[number] for number in kept), rows, section.note)


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()[:LONGEST]


def _as_png(phone: PhoneWeb, answer: WebAnswer) -> bytes:
    document = parse_document(answer.body) if answer.body.lstrip()[:1] == b"<" else None
    try:
        if document is not None and document.tag == "CiscoIPPhoneError":
            fault = f"{phone.peer} refuses to show its screen: the push account or its authentication URL"
            raise TransportError(fault, permanent=True, code="authentication", exchange=answer.exchange)
        picture = _packed(document) if document is not None else Image.open(io.BytesIO(answer.body), formats=PICTURES)
        if max(picture.size) > MAX_SIDE:
            raise ValueError("too large")
        out = io.BytesIO()
        picture.convert("RGB").save(out, "PNG")
    except (ValueError, KeyError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        fault = f"{phone.peer} answers with something that is no picture of a screen"
        raise TransportError(fault, code="no-picture") from error
    return out.getvalue()


def _packed(document: etree._Element) -> Image.Image:
    """A CiscoIPPhoneImage: points of one or two bits, the first of a byte in its lowest bits (Cisco phones spec §1.1)."""
    values = {part.tag.lower(): (part.text or "").strip() for part in document.iter() if isinstance(part.tag, str)}
    width, height, depth = (int(values[name]) for name in ("width", "height", "depth"))
    if document.tag != "CiscoIPPhoneImage" or depth not in (1, 2) or not 0 < max(width, height) <= MAX_SIDE:
        raise ValueError("no picture of a phone")
    packed = bytes.fromhex(values["data"])
    mask, shades = (1 << depth) - 1, [255 - 255 * level // ((1 << depth) - 1) for level in range(1 << depth)]
    points = bytes(shades[byte >> shift & mask] for byte in packed for shift in range(0, 8, depth))
    return Image.frombytes("L", (width, height), points[: width * height])
