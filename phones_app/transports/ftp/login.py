"""The way into a folder on an FTP or FTPS server: connect, encrypt, log in, go there."""

import ssl
from dataclasses import dataclass, field
from functools import cache

from contacts_app.core.errors import before_log_in
from contacts_app.core.net.wire import Networks, resolve_all
from phones_app.transports.ftp.folder import FtpFolder
from phones_app.transports.ftp.wire import FtpWire


@dataclass(frozen=True)
class FtpTarget:
    """A folder on a server and how to get there; seconds throughout.

    `timeout` bounds each command, and `deadline` one whole upload, connecting included, whatever the server
    does. `tls` means explicit FTPS with encrypted data (RFC 4217). `networks` of None allows every address.
    """

    host: str
    port: int = 21
    username: str = ""
    password: str = field(default="", repr=False)
    directory: str = ""
    tls: bool = False
    verify_certificate: bool = False
    passive: bool = True
    connect_timeout: float = 5.0
    timeout: float = 10.0
    deadline: float = 45.0
    any_case: bool = False  # what is asked for is found there in any case of its letters
    networks: Networks | None = None


def log_in(target: FtpTarget, ends: float) -> FtpFolder:
    """Connect, log in and go to the folder before the monotonic clock shows `ends`; TransportError if not."""
    find = target.networks.candidates if target.networks else resolve_all
    with before_log_in():
        addresses = find(target.host, target.port)
    wire = FtpWire(
        target.host,
        password=target.password,
        timeout=target.timeout,
        deadline=ends,
        context=_tls_context(target.verify_certificate) if target.tls else None,
    )
    wire.set_pasv(target.passive)
    folder = FtpFolder(wire)
    try:
        with before_log_in(), folder.step("greeting", f"connect to {target.host}:{target.port}"):
            wire.open(addresses, target.port, target.connect_timeout)
        _introduce(folder, target)
    except BaseException:
        wire.close()
        raise
    return folder


def _introduce(folder: FtpFolder, target: FtpTarget) -> None:
    wire = folder.wire
    if target.tls:
        with before_log_in(), folder.step("tls-unavailable", "switch to an encrypted connection"):
            wire.auth()
    with before_log_in(), folder.step("login", f"log in as {target.username or 'anonymous'}"):
        wire.login(target.username, target.password, secure=False)  # encrypted by now, if it is to be
    if target.tls:
        with folder.step("tls-unavailable", "have the data connections encrypted"):
            wire.prot_p()
    with folder.step("binary", "switch to binary transfers"):
        wire.voidcmd("TYPE I")  # in ASCII mode servers refuse SIZE (Cisco phones spec §8.18)
    if target.directory:
        with folder.step("directory", f"go to the folder {target.directory}"):
            wire.cwd(target.directory)


@cache
def _tls_context(verify_certificate: bool) -> ssl.SSLContext:
    # Shared by all connections, as loading the certificate authorities takes longer than a login.
    context = ssl.create_default_context()
    if not verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
