"""Connection tests of file servers and call managers, with the result kept on the row."""

from dataclasses import dataclass

from django.utils import timezone

from phones_app.models import CallManager, FileServer
from phones_app.services.targets import ami_target, ftp_target, phone_networks
from phones_app.transports import Exchange, TransportError
from phones_app.transports.ami import AmiSession
from phones_app.transports.ftp import FtpSession


@dataclass(frozen=True)
class Check:
    """How a test went: `message` for people, and the exact texts, secrets masked."""

    ok: bool
    message: str
    exchange: Exchange


def check_file_server(server: FileServer) -> Check:
    """Log in, go to the folder, store, rename and delete a tiny file."""
    try:
        with FtpSession(ftp_target(server)) as session:
            check = Check(True, "Logged in, and stored, renamed and deleted a test file.", session.test())
    except TransportError as error:
        check = _failed(error)
    return _keep(server, check)


def check_call_manager(manager: CallManager) -> Check:
    """Asterisk: log in and ping. SIP: only whether the address may be spoken to, and this says so."""
    try:
        check = _ping(manager) if manager.kind == CallManager.Kind.AMI else _resolve(manager)
    except TransportError as error:
        check = _failed(error)
    return _keep(manager, check)


def _ping(manager: CallManager) -> Check:
    with AmiSession(ami_target(manager)) as session:
        reply = session.action("Ping")
    words = "Logged in; Asterisk answers." if reply.succeeded else f"Asterisk refuses a ping: {reply.message}"
    return Check(reply.succeeded, words, reply.exchange)


def _resolve(manager: CallManager) -> Check:
    address = phone_networks().resolve(manager.host, manager.port)
    return Check(
        True, f"{manager.host} is at {address}, which is allowed. Nothing was sent.", Exchange("", "")
    )


def _failed(error: TransportError) -> Check:
    return Check(False, error.message, Exchange(error.request, error.answer))


def _keep(row: FileServer | CallManager, check: Check) -> Check:
    row.tested_at, row.test_result = timezone.now(), "" if check.ok else check.message
    type(row)._default_manager.filter(pk=row.pk).update(tested_at=row.tested_at, test_result=row.test_result)
    return check
