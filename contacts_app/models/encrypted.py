"""Fields whose column holds ciphertext: secrets are encrypted at rest with rotatable keys (MultiFernet).

The first of settings.ENCRYPTION_KEYS encrypts, every one of them decrypts. `None` and the empty value stay as they
are, so that "no password" can be told without a key. Such fields cannot be filtered on.
"""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class SecretUnreadable(Exception):
    """None of the configured keys decrypts a stored secret: a key was dropped before `rotate_secrets` had run."""


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    return _ciphers(tuple(settings.ENCRYPTION_KEYS))


def _decrypt(stored: bytes) -> bytes:
    try:
        return cipher().decrypt(stored)
    except InvalidToken:
        raise SecretUnreadable("No key of ENCRYPTION_KEYS decrypts a stored secret.") from None


class EncryptedTextField(models.TextField):
    """Text that is stored encrypted."""

    def get_prep_value(self, value: Any) -> Any:
        return cipher().encrypt(str(value).encode()).decode("ascii") if value else value

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return _decrypt(value.encode("ascii")).decode() if value else value


class EncryptedBinaryField(models.BinaryField):
    """Bytes that are stored encrypted."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        ciphertext = cipher().encrypt(bytes(value)) if value else value
        return super().get_db_prep_value(ciphertext, connection, prepared)

    def from_db_value(self, value: Any, *_: object) -> bytes | None:
        return _decrypt(bytes(value)) if value else value
