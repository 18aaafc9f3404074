"""The keys of an installation in a file of their own, apart from the backup, and whether keys are those of a backup."""

import hmac
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.utils.crypto import salted_hmac

from contacts_app.core.doctor.installation import KEY_FILES, in_environment
from contacts_app.core.errors import Refusal
from contacts_app.core.secrets import cipher

PROOF = b"patchbay backup"


def write_keys(path: Path) -> None:
    """As lines that a file of variables may hold."""
    values = {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS)}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())


def read_keys(path: Path) -> dict[str, str]:
    """The keys of a file for this process, by the names of their settings; what the environment has stays as it is."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise Refusal("no-keys", f"{path}: {error.strerror}") from error
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    if lacking := set(KEY_FILES.values()) - values.keys():
        raise Refusal("no-keys", f"{path} has no {', '.join(sorted(lacking))}.")
    return {name: values[name] for name in KEY_FILES.values() if not in_environment(name)}


def use_keys(keys: Mapping[str, str]) -> None:
    for name, value in keys.items():
        setattr(settings, name, value.split(",") if name == "ENCRYPTION_KEYS" else value)


def keep_keys(keys: Mapping[str, str]) -> None:
    """In the data folder, where the next process finds them."""
    for file, name in KEY_FILES.items():
        if name in keys:
            (settings.DATA_DIR / file).write_text(keys[name])


def proof() -> dict[str, str]:
    """What only these keys can make, for the backup's manifest."""
    return {"encryption": cipher().encrypt(PROOF).decode("ascii"), "secret": _digest()}


def check_keys(proved: dict[str, Any]) -> None:
    """Raises Refusal unless the keys of this process are those of the backup."""
    try:
        cipher().decrypt(str(proved["encryption"]).encode("ascii"))
    except InvalidToken:
        raise Refusal("wrong-keys", f"ENCRYPTION_KEYS are not those of the backup. {GIVE_THEM}") from None
    if not hmac.compare_digest(str(proved["secret"]), _digest()):
        raise Refusal("wrong-keys", f"SECRET_KEY is not that of the backup: all API tokens would end. {GIVE_THEM}")


GIVE_THEM = "Give them with --keys, or set them in the environment."


def _digest() -> str:
    return str(salted_hmac("patchbay.backup", PROOF, algorithm="sha256").hexdigest())
