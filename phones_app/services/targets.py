"""Rows -> the plain values that transports take."""

from functools import lru_cache

from django.conf import settings
from django.db.models import Q

from contacts_app.services.errors import Refusal
from contacts_app.transports.networks import Networks
from phones_app.models import CallManager, FileServer, Phone
from phones_app.transports.ami import AmiTarget
from phones_app.transports.ftp import FtpTarget
from phones_app.transports.phone_web import PhoneWeb


@lru_cache(maxsize=8)
def _parse_networks(text: str) -> Networks:
    return Networks.parse(text)


def phone_networks() -> Networks:
    """Where outgoing connections may go (settings.PHONE_NETWORKS)."""
    return _parse_networks(settings.PHONE_NETWORKS)


def file_server_of(phone: Phone) -> FileServer:
    """The phone's own file server, else its account's default, else the shared default, else the embedded one."""
    if phone.file_server is not None:
        return phone.file_server
    return default_server(phone.account_id)


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
        networks=phone_networks(),
    )


def phone_web(phone: Phone) -> PhoneWeb:
    """The phone's web server. Raises Refusal when its address is not known."""
    if not phone.phone_ip:
        raise Refusal("no-address", "The phone's IP address is not known.")
    return PhoneWeb(
        host=phone.phone_ip,
        port=phone.web_port,
        username=phone.web_username,
        password=phone.web_password,
        networks=phone_networks(),
    )


def status_page(host: str, port: int) -> PhoneWeb:
    """A phone's web server as far as it asks for no credentials."""
    return PhoneWeb(host=host, port=port, networks=phone_networks())


def ami_target(manager: CallManager) -> AmiTarget:
    return AmiTarget(
        host=manager.host,
        port=manager.port,
        username=manager.username,
        secret=manager.password,
        networks=phone_networks(),
    )
