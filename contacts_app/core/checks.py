"""Settings that run and are not safe: `manage.py check --deploy` tells each, with what to do about it."""

import os
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from contacts_app.core.net.wire import Networks

SHORTEST_TOKEN = 16


class Unsafe(NamedTuple):
    """`is_there` says whether the settings are so."""

    id: str
    kind: type[Error] | type[Warning]
    is_there: Callable[[], bool]
    message: str
    hint: str


def trusts_everybody() -> bool:
    try:
        return any(network.prefixlen == 0 for network in Networks.parse(settings.TRUSTED_PROXIES).networks)
    except ValueError:
        return False  # which the other check tells


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


UNSAFE = (
    Unsafe(
        "patchbay.E101",
        Error,
        trusts_everybody,
        "TRUSTED_PROXIES trusts every address.",
        "Anybody could then claim any address in X-Forwarded-For. Name the addresses of the proxies alone.",
    ),
    Unsafe(
        "patchbay.W102",
        Warning,
        lambda: settings.TRUST_PROXY and not settings.TRUSTED_PROXIES,
        "TRUST_PROXY believes everybody's X-Forwarded-Proto, and all clients have the proxy's address.",
        "Name the proxies in TRUSTED_PROXIES instead.",
    ),
    Unsafe(
        "patchbay.W103",
        Warning,
        lambda: settings.HTTPS and not settings.TRUST_PROXY and not settings.TRUSTED_PROXIES,
        "HTTPS is on, and no proxy is named that ends TLS.",
        "Name it in TRUSTED_PROXIES: without it every request is redirected, and all clients have the proxy's address.",
    ),
    Unsafe(
        "patchbay.W104",
        Warning,
        lambda: 0 < len(settings.METRICS_TOKEN) < SHORTEST_TOKEN,
        f"METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters.",
        'python -c "import secrets; print(secrets.token_urlsafe(24))"',
    ),
    Unsafe(
        "patchbay.W105",
        Warning,
        lambda: not is_loopback(settings.FILE_SERVER_FTP_HOST),
        "The embedded file server takes FTP from the network, where password and files can be read on their way.",
        "FILE_SERVER_FTP_HOST=127.0.0.1; if workers on other machines upload to it, close the port to all others.",
    ),
    Unsafe(
        "patchbay.W106",
        Warning,
        lambda: bool(settings.DATA_DIR.stat().st_mode & 0o077),
        "Other users of this machine may look into DATA_DIR.",
        "chmod 700; it holds the keys, the database and the phones' files.",
    ),
    Unsafe(
        "patchbay.W107",
        Warning,
        lambda: os.geteuid() == 0,
        "This process runs as root.",
        "Run the portal as a user of its own; port 69 takes the capability CAP_NET_BIND_SERVICE alone.",
    ),
)


def networks_are_readable(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    """Always, not only before a deployment: the web server does not start with these."""
    try:
        Networks.parse(settings.TRUSTED_PROXIES)
    except ValueError as error:
        return [Error(f"TRUSTED_PROXIES: {error}.", hint="Networks or addresses, comma-separated.", id="patchbay.E100")]
    return []


def unsafe_settings(app_configs: Sequence[Any] | None = None, **_: Any) -> list[CheckMessage]:
    return [each.kind(each.message, hint=each.hint, id=each.id) for each in UNSAFE if each.is_there()]
