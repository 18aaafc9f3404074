"""FTP servers: pyftpdlib in a thread, vsftpd and proftpd as processes of an unprivileged user."""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from tests.peers import find, needs
from tests.peers.tls import write_certificate
from tests.servers import free_port

READY_SECONDS = 60
START_ATTEMPTS = 3

needs_vsftpd = needs("vsftpd", "vsftpd")
needs_proftpd = needs("proftpd", "proftpd-core")
needs_proftpd_tls = needs("/usr/lib/proftpd/mod_tls.so", "proftpd-mod-crypto")


@dataclass
class Server:
    """A running server; `root` is the folder where a login ends up, as this machine sees it."""

    host: str
    port: int
    username: str
    password: str
    root: Path
    _stop: Callable[[], None] = field(default=lambda: None, repr=False)

    def stop(self) -> None:
        """End the server with all its connections; again does no harm."""
        self._stop()


@contextlib.contextmanager
def pyftpd(
    root: Path, user: str = "phones", password: str = "s3cret-pw", port: int = 0, handler: type | None = None
) -> Iterator[Server]:
    """Serve `root` in a thread; `handler` is an FTPHandler that behaves differently."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, str(root), perm="elradfmwMT")
    handling = type("Handling", (handler or FTPHandler,), {"authorizer": authorizer, "use_sendfile": False})
    # A loop of its own, because pyftpdlib's default one is shared by all servers of a process.
    server = FTPServer(("127.0.0.1", port or free_port()), handling, ioloop=IOLoop())
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            server.ioloop.loop(timeout=0.05, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve, name="pyftpd", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        thread.join(READY_SECONDS)

    try:
        yield Server("127.0.0.1", server.address[1], user, password, root, _stop=stop)
    finally:
        stop()


@contextlib.contextmanager
def vsftpd(root: Path | None = None) -> Iterator[Server]:
    """Serve `root` (by default a new folder) to anonymous users, who may do everything."""
    account = _account()

    def configuration(port: int, state: Path, root: Path) -> str:
        (state / "empty").mkdir()
        return f"""
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
nopriv_user={account.pw_name}
anonymous_enable=YES
ftp_username={account.pw_name}
anon_root={root}
no_anon_password=YES
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
local_enable=NO
seccomp_sandbox=NO
one_process_model=YES
connect_from_port_20=NO
port_promiscuous=YES
max_per_ip=0
secure_chroot_dir={state}/empty
vsftpd_log_file={state}/log
"""

    with _process("vsftpd", configuration, lambda path: [str(path)], "anonymous", "", root) as server:
        yield server


@contextlib.contextmanager
def proftpd(
    root: Path | None = None,
    user: str = "phones",
    password: str = "s3cret-pw",
    *,
    tls: bool = False,
    require_session_reuse: bool = False,
    tls_protocol: str = "TLSv1.2 TLSv1.3",
) -> Iterator[Server]:
    """Serve `root` (by default a new folder) to one user with a password; `tls` refuses all in clear.

    With `require_session_reuse` (proftpd's default) a data connection must resume the control connection's
    TLS session.
    """
    account = _account()

    def configuration(port: int, state: Path, root: Path) -> str:
        users = state / "users"
        users.write_text(f"{user}:{_hashed(password)}:{account.pw_uid}:{account.pw_gid}::{root}:/bin/false\n")
        users.chmod(0o600)
        text = f"""
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
UseIPv6 off
Port {port}
User {account.pw_name}
Group {grp.getgrgid(account.pw_gid).gr_name}
PidFile {state}/pid
ScoreboardFile {state}/scoreboard
DelayTable none
WtmpLog off
SystemLog {state}/log
TransferLog none
AuthOrder mod_auth_file.c
AuthUserFile {users}
RequireValidShell off
UseFtpUsers off
UseReverseDNS off
AllowOverwrite on
Umask 022
MaxInstances 60
ControlsEngine off
"""
        return text + (encryption(state) if tls else "")

    def encryption(state: Path) -> str:
        write_certificate(state / "tls.pem")
        options = "" if require_session_reuse else "TLSOptions NoSessionReuseRequired"
        return f"""
LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSProtocol {tls_protocol}
TLSECCertificateFile {state}/tls.pem
TLSECCertificateKeyFile {state}/tls.pem
TLSVerifyClient off
TLSLog {state}/tls.log
{options}
"""

    with _process("proftpd", configuration, lambda path: ["-n", "-q", "-c", str(path)], user, password, root) as server:
        yield server


@contextlib.contextmanager
def _process(
    program: str,
    configuration: Callable[[int, Path, Path], str],
    arguments: Callable[[Path], list[str]],
    user: str,
    password: str,
    root: Path | None,
) -> Iterator[Server]:
    # Not pytest's folders: only their owner may enter those, and the server is not run as root.
    state = Path(tempfile.mkdtemp(prefix=f"{program}-"))
    state.chmod(0o755)
    folder = root or state / "root"
    folder.mkdir(exist_ok=True)
    processes: list[subprocess.Popen[bytes]] = []

    def stop() -> None:
        while processes:
            _end(processes.pop())

    try:
        port = _start(program, configuration, arguments, state, folder, processes)
        yield Server("127.0.0.1", port, user, password, folder, stop)
    finally:
        stop()
        shutil.rmtree(state, ignore_errors=True)


def _start(
    program: str,
    configuration: Callable[[int, Path, Path], str],
    arguments: Callable[[Path], list[str]],
    state: Path,
    root: Path,
    processes: list[subprocess.Popen[bytes]],
) -> int:
    account = _account()
    drop: dict[str, Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    if os.geteuid() != 0:
        drop = {}
    for attempt in range(START_ATTEMPTS):  # somebody else may take the free port first
        port = free_port()
        own = state / f"state-{attempt}"
        own.mkdir()
        path = own / "configuration"
        path.write_text(configuration(port, own, root))
        if drop:
            for each in (root, own, *own.rglob("*")):
                os.chown(each, account.pw_uid, account.pw_gid)
        with (own / "output").open("wb") as output:
            # Its own group of processes, because each connection is served by a child of its own.
            process = subprocess.Popen(
                [str(find(program)), *arguments(path)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=own,
                start_new_session=True,
                **drop,
            )
        processes.append(process)
        if _greets(port, process):
            return port
        _end(processes.pop())
    said = "\n".join(path.read_text() for path in state.glob("state-*/[ol]*"))
    raise RuntimeError(f"{program} did not start: {said}")


def _greets(port: int, process: "subprocess.Popen[bytes]") -> bool:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            return connection.recv(4).startswith(b"220")
        time.sleep(0.02)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(READY_SECONDS)


def _account() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _hashed(password: str) -> str:
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True, check=True
    )
    return hashed.stdout.strip()
