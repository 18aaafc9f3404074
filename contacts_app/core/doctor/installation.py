"""Checks of what every installation has: data folder, disk, keys, networks, and the settings that Django checks."""

import os
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, Model

from contacts_app.core.disk import room
from contacts_app.core.doctor.checks import Defect, HealthCheck
from contacts_app.core.net.wire import Networks
from contacts_app.core.secrets import STORED_AS, EncryptedBinaryField, SecretUnreadable
from contacts_app.core.tables import table

ADVICE = table(__file__, "advice.toml")
# Networks at least as large as these, by IP version, are no list of networks any more.
WIDEST = {4: 7, 6: 16}
# System checks of ours that concern the installation, not the code.
INSTALLATION_TAG = "installation"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", ".localhost"})
KEY_FILES = {"secret_key": "SECRET_KEY", "encryption_keys": "ENCRYPTION_KEYS"}


def is_local() -> bool:
    """Whether the portal is reached from this machine alone, so that it needs no TLS and no mail server."""
    return set(settings.ALLOWED_HOSTS) <= LOOPBACK and not settings.DEBUG


def in_environment(name: str) -> bool:
    """Whether a secret is given there, or in a file that is named there."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def data_folder() -> Iterator[Defect]:
    folder: Path = settings.DATA_DIR
    if not os.access(folder, os.W_OK | os.X_OK):
        yield Defect("data-folder", f"{folder} cannot be written to.")
        return
    if folder.stat().st_mode & 0o077:
        yield Defect("open-folder", f"{folder} can be read by other users of this machine.")
    for name in KEY_FILES:
        if (kept := folder / name).exists() and kept.stat().st_mode & 0o077:
            yield Defect("open-key", f"{kept} can be read by other users of this machine.")


def disk() -> Iterator[Defect]:
    there = room()
    if there.is_low:
        free = f"{there.free / 1024**2:.0f} MB of {there.size / 1024**3:.1f} GB"
        yield Defect("disk", f"{settings.DATA_DIR} has {free} free.")


def keys() -> Iterator[Defect]:
    for place, key in enumerate(settings.ENCRYPTION_KEYS, 1):
        try:
            Fernet(key)
        except ValueError:
            yield Defect("encryption-keys", f"Number {place} of ENCRYPTION_KEYS is no key.")
            return
    if connection.vendor != "sqlite":
        for kept, name in KEY_FILES.items():
            if (settings.DATA_DIR / kept).exists() and not in_environment(name):
                yield Defect("keys-of-one-machine", f"{name} was made by this machine, and the database is shared.")


def stored_secrets() -> Iterator[Defect]:
    """The oldest and the newest of each column: an old one is what a key that was dropped too early has encrypted."""
    if any(defect.code == "encryption-keys" for defect in keys()):
        return
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, tuple(STORED_AS)) and model._meta.managed and not model._meta.proxy:
                yield from _unreadable(model, field)


def _unreadable(model: type[Model], field: "Field[Any, Any]") -> Iterator[Defect]:
    nothing = b"" if isinstance(field, EncryptedBinaryField) else ""
    rows = model._base_manager.exclude(**{field.name: None}).exclude(**{field.name: nothing})
    filled = rows.values_list(field.name, flat=True)
    try:
        for order in ("pk", "-pk"):
            filled.order_by(order).first()
    except SecretUnreadable:
        what = f"{model._meta.verbose_name_plural} ({field.verbose_name})"
        yield Defect("unreadable-secrets", f"No key of ENCRYPTION_KEYS decrypts what is stored with {what}.")


def system_checks() -> Iterator[Defect]:
    """What `manage.py check --deploy` says of settings. A portal that is reached from its own machine alone is judged
    by the checks of every installation, not by those of TLS."""
    tags = [checks.Tags.security, INSTALLATION_TAG]
    found = checks.run_checks(tags=tags, include_deployment_checks=not is_local(), databases=[DEFAULT_DB_ALIAS])
    for message in found:
        if message.level >= checks.WARNING and not message.is_silenced():
            yield Defect(str(message.id), str(message.msg), str(message.hint or ADVICE["settings"]))


def wide_networks(setting: str) -> Iterator[Defect]:
    """That a setting of networks cannot be read, or names nearly all addresses."""
    text = getattr(settings, setting)
    try:
        Networks.parse(text)
    except ValueError as error:
        yield Defect("networks-unreadable", f"{setting}: {error}.")
        return
    for part in filter(None, map(str.strip, text.split(","))):
        network = ip_network(part)
        if network.prefixlen <= WIDEST[network.version]:
            yield Defect("networks-too-wide", f"{setting} has {network}: nearly all addresses.")


CHECKS = (
    HealthCheck("data folder", data_folder, ADVICE, needs_database=False),
    HealthCheck("disk", disk, ADVICE, needs_database=False),
    HealthCheck("keys", keys, ADVICE, needs_database=False),
    HealthCheck("settings", system_checks, ADVICE, needs_database=False),
    HealthCheck("stored secrets", stored_secrets, ADVICE),
)
