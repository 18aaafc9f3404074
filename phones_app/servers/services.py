"""File servers and call managers as the plain values that transports take, and tests of the connections to them.

There is one default file server for each account, and one shared by all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from contacts_app.core.actor import Actor
from contacts_app.core.errors import NO_EXCHANGE, Exchange, Refusal, TransportError
from contacts_app.core.history.records import update_recorded
from contacts_app.core.memory import Memory
from contacts_app.core.net.wire import Networks
from phones_app.servers.models import CallManager, FileServer
from phones_app.simulator.running import is_running
from phones_app.transports.ftp.login import FtpTarget
from phones_app.transports.ftp.session import FtpSession
from phones_app.transports.restart.ami import AmiSession, AmiTarget
from phones_app.transports.restart.ami_check import check_account

# Where simulated phones and the embedded file server are, and much else of this machine.
LOOPBACK = "127.0.0.0/8, ::1/128"
_simulated: Memory[bool] = Memory(seconds=1)


@lru_cache(maxsize=8)
def _parse_networks(text: str) -> Networks:
    return Networks.parse(text, "PHONE_NETWORKS")


def phone_networks() -> Networks:
    """Where outgoing connections may go: settings.PHONE_NETWORKS, and loopback while simulated phones are played."""
    is_simulated = _simulated.get(None)
    if is_simulated is None:
        is_simulated = _simulated.put(None, is_running(settings.DATA_DIR))
    return with_loopback() if is_simulated else _parse_networks(settings.PHONE_NETWORKS)


def with_loopback() -> Networks:
    return _parse_networks(f"{settings.PHONE_NETWORKS}, {LOOPBACK}")


def networks_of(server: FileServer | CallManager) -> Networks:
    """Where connections to this server may go."""
    # Where the embedded one listens, its own process has written down.
    is_embedded = isinstance(server, FileServer) and server.is_embedded
    return with_loopback() if is_embedded else phone_networks()


def default_server(account: int) -> FileServer:
    """The account's default file server, else the shared default, else the embedded one. Raises Refusal."""
    candidates = FileServer.objects.filter(Q(is_default=True) | Q(is_embedded=True)).filter(
        Q(account=account) | Q(account=None)
    )
    ranked = sorted(candidates, key=lambda server: (server.account_id is None, not server.is_default))
    if not ranked:
        raise Refusal("no-file-server", "The phone has no file server, and there is no default one.")
    return ranked[0]


def ftp_target(server: FileServer) -> FtpTarget:
    return FtpTarget(
        host=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        directory=server.directory,
        tls=server.protocol == FileServer.Protocol.FTPS,
        verify_certificate=server.verify_certificate,
        passive=server.passive,
        deadline=settings.FTP_UPLOAD_SECONDS,
        any_case=server.is_embedded,
        networks=networks_of(server),
    )


def ami_target(manager: CallManager) -> AmiTarget:
    return AmiTarget(
        host=manager.host,
        port=manager.port,
        username=manager.username,
        secret=manager.password,
        networks=phone_networks(),
    )


def no_sip_to(manager: CallManager) -> str:
    """Why no SIP may be sent to this call manager of the kind SIP; empty: it may.

    An Asterisk with the usecallmanager patch can crash at a request of ours (Asterisk spec §I.5).
    """
    if CallManager.objects.filter(kind=CallManager.Kind.AMI, host__iexact=manager.host).exists():
        return f"{manager.host} is an Asterisk that is asked by AMI: choose that call manager for the phone."
    return ""


# What tenants are told of a server that has not let their account in, by the code of the failure; of all others alike.
OWN_WORDS = {
    "outside-networks": "This address is neither public nor in one of the networks of the setting PHONE_NETWORKS.",
    "authentication": "Reachable, but the log-in is refused.",
    "login-in-use": "Reachable, but somebody is logged in already (Login Already In Use).",
    "resolved": "This address is allowed. Nothing was sent.",
    "asked-by-ami": "This is an Asterisk that is asked by AMI: choose that call manager for the phone.",
}
UNREACHABLE = "Not reachable: no such server answers at this address."
NOT_TOLD = "not-reachable"
# FTP's answers to a name that is known and to a log-in that is not good (RFC 959 §4.2.2), and to a good one.
KNOWS_NAMES, LET_IN = re.compile("^(331|332|530)", re.MULTILINE), re.compile("^230", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """How a test went: `message` for people, and the exact texts, secrets masked.

    `is_own`: the server has let this account in with its password. What others than those answer is not for tenants:
    a test would tell them which ports of any host are open, and what listens there.
    """

    ok: bool
    message: str
    exchange: Exchange
    code: str = ""
    is_own: bool = False


def told_to(actor: Actor, check: Check) -> Check:
    """The check as this actor may be told of it."""
    if actor.account is None or check.is_own:
        return check
    return replace(check, message=OWN_WORDS.get(check.code, UNREACHABLE), exchange=NO_EXCHANGE)


def told_of(server: FileServer | CallManager, error: TransportError) -> TransportError:
    """A failure as the account of the server may be told of it, as it is told of a test."""
    if server.account_id is None or not error.is_strangers:
        return error
    words = OWN_WORDS.get("authentication" if KNOWS_NAMES.search(error.answer) else error.code)
    return TransportError(words or UNREACHABLE, error.permanent, code=error.code if words else NOT_TOLD)


def check_file_server(server: FileServer) -> Check:
    """Log in, go to the folder, store, rename and delete a tiny file."""
    has_account = bool(server.username and server.password)
    try:
        with FtpSession(ftp_target(server)) as session:
            done = "Logged in, and stored, renamed and deleted a test file."
            check = Check(True, done, session.test(), is_own=has_account)
    except TransportError as error:
        is_own = has_account and bool(LET_IN.search(error.answer))
        is_refused = not is_own and bool(KNOWS_NAMES.search(error.answer))
        check = Check(False, error.message, error.exchange, "authentication" if is_refused else error.code, is_own)
    return _keep(server, check)


def check_call_manager(manager: CallManager) -> Check:
    """Asterisk: log in and try what restarts need. SIP: only whether the address may be spoken to, and this says so."""
    try:
        check = _try_account(manager) if manager.kind == CallManager.Kind.AMI else _resolve(manager)
    except TransportError as error:
        check = Check(False, error.message, error.exchange, error.code)
    return _keep(manager, check)


def _try_account(manager: CallManager) -> Check:
    # A session of its own, as a kept one says nothing of the present password.
    with AmiSession(ami_target(manager)) as session:
        try:
            found = check_account(session, manager.channel)
        except TransportError as error:
            return Check(False, error.message, error.exchange, error.code, is_own=True)
    if found.missing:
        return Check(False, f"Logged in, but {', and '.join(found.missing)}.", found.exchange, is_own=True)
    sccp = (
        "can be restarted, too"
        if found.restarts_sccp
        else "cannot be: SCCPDeviceRestart is not loaded or not permitted"
    )
    words = f"Logged in; {', '.join(found.works)} can be used. SCCP phones {sccp}."
    return Check(True, words, found.exchange, is_own=True)


def _resolve(manager: CallManager) -> Check:
    if trouble := no_sip_to(manager):
        return Check(False, trouble, NO_EXCHANGE, "asked-by-ami")
    address = phone_networks().resolve(manager.host, manager.port)
    allowed = f"{manager.host} is at {address}, which is allowed. Nothing was sent."
    return Check(True, allowed, NO_EXCHANGE, "resolved")


def _keep(row: FileServer | CallManager, check: Check) -> Check:
    """Keep the result with the row, in words for those who see it."""
    told = told_to(Actor("", "", account=row.account), check)
    row.tested_at, row.test_result = timezone.now(), "" if check.ok else told.message
    type(row)._default_manager.filter(pk=row.pk).update(tested_at=row.tested_at, test_result=row.test_result)
    return check


# A password is for one account on one server.
PLACE = ("host", "port", "username")
TYPE_AGAIN = "The server or the account is another one now: type its password again, or remove it."


class PasswordNeeded(Refusal):
    """The stored password would be sent to a place that it was not typed for."""

    fields = {"password": [TYPE_AGAIN]}

    def __init__(self) -> None:
        super().__init__("password-needed", TYPE_AGAIN)


def keep_password_at_its_place(server: FileServer | CallManager, *, typed: bool) -> None:
    """Raise PasswordNeeded where a stored password would go along to another server or account.

    Who may change a server need not know its password; sent somewhere else, or tried there, it would be told.
    `typed`: a password came along with the change, or the stored one is removed.
    """
    if typed or server.pk is None:
        return
    stored = type(server)._default_manager.filter(pk=server.pk).exclude(password="").only(*PLACE).first()
    if stored and any(getattr(stored, name) != getattr(server, name) for name in PLACE):
        raise PasswordNeeded


@transaction.atomic
def save_file_server(server: FileServer, *, update_fields: Iterable[str] | None = None) -> FileServer:
    """Store the server; as a default it takes the place of the former one of its account."""
    if server.is_default:
        others = FileServer.objects.filter(account=server.account, is_default=True).exclude(pk=server.pk)
        update_recorded(others, is_default=False)
    server.save(update_fields=update_fields)
    return server
