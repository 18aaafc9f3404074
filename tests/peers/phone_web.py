"""The web side of a phone: status pages and CGI/Execute, as its generations spell them, and bad habits.

A real HTTP server on loopback. What the phone was asked is in `requests` and `pressed`.
"""

import base64
import contextlib
import datetime
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# How generations write the same answer; {items} stands for the result items.
RESPONSE = '<?xml version="1.0" encoding="iso-8859-1"?>\r\n<CiscoIPPhoneResponse>{items}</CiscoIPPhoneResponse>'
BARE_RESPONSE = "<CiscoIPPhoneResponse>{items}</CiscoIPPhoneResponse>"
ITEM = '<ResponseItem Status="{status}" Data="{data}" URL="{url}"/>'
REVERSED_ITEM = '<ResponseItem URL="{url}" Data="{data}" Status="{status}" />'

DEVICE_8841 = b"""<?xml version="1.0" encoding="UTF-8"?>
<DeviceInformation>
<MACAddress>001122334455</MACAddress>
<HostName>SEP001122334455</HostName>
<phoneDN>1001</phoneDN>
<appLoadID>sip88xx.12-8-1-0001-455.loads</appLoadID>
<versionID>V03</versionID>
<serialNumber>FCH12345678</serialNumber>
<modelNumber>CP-8841</modelNumber>
<MessageWaiting>No</MessageWaiting>
</DeviceInformation>
"""

# Several declarations, latin-1 without saying so, a raw ampersand, colons in the MAC, an SCCP load.
DEVICE_7962 = (
    '<?xml version="1.0"?>\r\n<?xml version="1.0"?>\r\n<DeviceInformation><MACAddress>00:aa:bb:cc:dd:ee'
    "</MACAddress><HostName>SEP00AABBCCDDEE</HostName><phoneDN>Empfang & Büro</phoneDN>"
    "<appLoadID>SCCP42.9-4-2SR3-1S</appLoadID><modelNumber>CP-7962G</modelNumber>"
    "<MessageWaiting>NO</MessageWaiting></DeviceInformation>"
).encode("latin-1")


def streams(*states: str) -> dict[str, bytes]:
    """Return the stream pages of a phone with these stream states."""
    page = "<StreamingStatistics><StreamStatus>{}</StreamStatus></StreamingStatistics>"
    return {f"/StreamingStatisticsX?{n}": page.format(state).encode() for n, state in enumerate(states, 1)}


def manufacturer_installed_certificate(folder: Path) -> ssl.SSLContext:
    """Return a server's TLS with a certificate that nobody has reason to trust, as phones have it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CP-8841-SEP001122334455")])
    begin = datetime.datetime(2015, 1, 1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin)
    certificate = builder.not_valid_after(datetime.datetime(2016, 1, 1)).sign(key, hashes.SHA256())
    pem = folder / "phone.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@dataclass
class PhoneWebServer:
    """The phone: which pages it has, who may push, and how it writes and behaves."""

    pages: dict[str, bytes] = field(default_factory=dict)
    content_type: str = "text/xml"
    account: tuple[str, str] | None = ("admin", "push secret")
    whole_answer: bytes | None = None  # instead of carrying out what was pushed
    whole_status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    response: str = RESPONSE
    item: str = ITEM
    refused_uris: dict[str, tuple[str, str]] = field(default_factory=dict)  # URI -> status, data
    hang_up_on: str = ""  # the URI at which the phone goes away without an answer
    drip: float = 0.0  # seconds between two bytes of an answer, headers included
    on_execute: Callable[[str], object] = lambda uri: None
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    connections: int = 0
    port: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator["PhoneWebServer"]:
        """Serve on loopback until the block is left."""
        handler = type("Handler", (_Handler,), {"phone": self})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            server.block_on_close = False
            if self.tls:
                server.socket = self.tls.wrap_socket(server.socket, server_side=True)
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def allows(self, authorization: str | None) -> bool:
        if self.account is None:
            return True
        expected = base64.b64encode(":".join(self.account).encode()).decode()
        return authorization == f"Basic {expected}"

    def execute(self, document: str) -> bytes:
        """Carry out a CiscoIPPhoneExecute document and write the answer."""
        items = []
        for element in ElementTree.fromstring(document).iter("ExecuteItem"):
            uri = element.attrib["URL"]
            if uri == self.hang_up_on:
                raise ConnectionAbortedError
            status, data = self.refused_uris.get(uri, ("0", "Success"))
            self.pressed.append(uri)
            self.on_execute(uri)
            items.append(self.item.format(status=status, data=data, url=uri))
        return self.response.format(items="".join(items)).encode("latin-1")


class _Handler(BaseHTTPRequestHandler):
    phone: PhoneWebServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.phone.connections += 1

    def do_GET(self) -> None:
        self._note(b"")
        body = self.phone.pages.get(self.path)
        if body is None:
            self._answer(404, b"<html><body>404 Not Found</body></html>")
        else:
            self._answer(self.phone.whole_status, body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._note(body)
        if self.path != "/CGI/Execute":
            self._answer(404, b"<html><body>404 Not Found</body></html>")
        elif not self.phone.allows(self.headers.get("Authorization")):
            self._answer(401, b"<html><body>Unauthorized</body></html>")
        elif self.phone.whole_answer is not None:
            self._answer(self.phone.whole_status, self.phone.whole_answer)
        else:
            document = parse_qs(body.decode(), strict_parsing=True)["XML"][0]
            try:
                self._answer(200, self.phone.execute(document))
            except ConnectionAbortedError:
                self.close_connection = True

    def _note(self, body: bytes) -> None:
        self.phone.requests.append((self.command, self.path, dict(self.headers), body))

    def _answer(self, status: int, body: bytes) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {self.phone.content_type}"]
        lines += [f"{name}: {value}" for name, value in (*self.phone.headers, ("Content-Length", str(len(body))))]
        data = "\r\n".join([*lines, "", ""]).encode() + body
        with contextlib.suppress(OSError):
            if not self.phone.drip:
                self.wfile.write(data)
                return
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(self.phone.drip)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""
