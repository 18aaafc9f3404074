"""System checks of settings that are unsafe, or cannot work, where a portal is reached from other machines.

`manage.py check --deploy` makes them, and the doctor.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from contacts_app.core.doctor.installation import LOOPBACK

Found = tuple[str, str, str]


def any_host() -> Iterator[Found]:
    if "*" in settings.ALLOWED_HOSTS:
        yield (
            "W001",
            "ALLOWED_HOSTS takes every name.",
            "Name the hosts: links in mail and redirects follow the name asked.",
        )


def tls_without_proxy() -> Iterator[Found]:
    if settings.HTTPS and not settings.SECURE_PROXY_SSL_HEADER:
        hint = "Trust the proxy's X-Forwarded-Proto (docs/environment.md); otherwise every page redirects to itself."
        yield "W002", "HTTPS is on, and no proxy is trusted to say that a request came by TLS.", hint


def links_in_mail() -> Iterator[Found]:
    address = urlsplit(settings.PUBLIC_URL)
    if address.hostname in {host.strip("[]") for host in LOOPBACK}:
        yield "W003", f"PUBLIC_URL is {settings.PUBLIC_URL}: links in mail lead to the reader's own machine.", SET_URL
    elif settings.HTTPS and address.scheme != "https":
        yield "W003", f"PUBLIC_URL is {settings.PUBLIC_URL}, and HTTPS is on.", SET_URL


def mail_to_the_log() -> Iterator[Found]:
    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        yield "W004", "Mail is written to the log and sent to nobody.", "Set EMAIL_URL (docs/operations.md, Mail)."


def shared_database_alone() -> Iterator[Found]:
    """PostgreSQL is chosen to have several processes; what they do not share then makes them disagree."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return
    if settings.CELERY_BROKER_URL.startswith("sqla"):
        hint = "Set CELERY_BROKER_URL=redis://…, or workers elsewhere hear of work from the sweep alone."
        yield "W005", "The broker is a file of this machine, and the database is shared.", hint
    if "locmem" in settings.CACHES["default"]["BACKEND"]:
        hint = "Set CACHE_URL=redis://…, so that all web processes count requests together."
        yield "W006", "Each process has a cache of its own, and the database is shared.", hint


SET_URL = "Set PUBLIC_URL to the address at which people reach the portal."
RULES: tuple[Callable[[], Iterator[Found]], ...] = (
    any_host,
    tls_without_proxy,
    links_in_mail,
    mail_to_the_log,
    shared_database_alone,
)


def unsafe_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Warning(message, hint=hint, id=f"patchbay.{code}") for rule in RULES for code, message, hint in rule()
    ]
