"""Settings that run and are not safe: `manage.py check --deploy` tells each, with what to do about it."""

import os
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from contacts_app.core.net.wire import Networks

SHORTEST_TOKEN = 16
SET_URL = "Set PUBLIC_URL to the address at which people reach the portal."


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


def leads_here() -> bool:
    return is_loopback(urlsplit(settings.PUBLIC_URL).hostname or "")


def is_shared() -> bool:
    """PostgreSQL is chosen to have several processes; what they do not share then makes them disagree."""
    return not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


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
        lambda: os.geteuid() == 0,
        "This process runs as root.",
        "Run the portal as a user of its own; port 69 takes the capability CAP_NET_BIND_SERVICE alone.",
    ),
    Unsafe(
        "patchbay.W107",
        Warning,
        lambda: "*" in settings.ALLOWED_HOSTS,
        "ALLOWED_HOSTS takes every name.",
        "Name the hosts: links in mail and redirects follow the name asked.",
    ),
    Unsafe(
        "patchbay.W108",
        Warning,
        leads_here,
        "Links in mail lead to the reader's own machine: PUBLIC_URL names this one.",
        SET_URL,
    ),
    Unsafe(
        "patchbay.W109",
        Warning,
        lambda: settings.HTTPS and urlsplit(settings.PUBLIC_URL).scheme != "https" and not leads_here(),
        "HTTPS is on, and PUBLIC_URL is no https address.",
        SET_URL,
    ),
    Unsafe(
        "patchbay.W110",
        Warning,
        lambda: settings.EMAIL_BACKEND.endswith("console.EmailBackend"),
        "Mail is written to the log and sent to nobody.",
        "Set EMAIL_URL (docs/operations.md, Mail).",
    ),
    Unsafe(
        "patchbay.W111",
        Warning,
        lambda: is_shared() and settings.CELERY_BROKER_URL.startswith("sqla"),
        "The broker is a file of this machine, and the database is shared.",
        "Set CELERY_BROKER_URL=redis://…, or workers elsewhere hear of work from the sweep alone.",
    ),
    Unsafe(
        "patchbay.W112",
        Warning,
        lambda: is_shared() and "locmem" in settings.CACHES["default"]["BACKEND"],
        "Each process has a cache of its own, and the database is shared.",
        "Set CACHE_URL=redis://…, so that all web processes count requests together.",
    ),
)


def networks_are_readable(app_configs: Sequence[AppConfig] | None = None, **_: object) -> list[CheckMessage]:
    """Always, not only before a deployment: the web server does not start with these."""
    try:
        Networks.parse(settings.TRUSTED_PROXIES)
    except ValueError as error:
        return [Error(f"TRUSTED_PROXIES: {error}.", hint="Networks or addresses, comma-separated.", id="patchbay.E100")]
    return []


def unsafe_settings(app_configs: Sequence[AppConfig] | None = None, **_: object) -> list[CheckMessage]:
    return [each.kind(each.message, hint=each.hint, id=each.id) for each in UNSAFE if each.is_there()]
