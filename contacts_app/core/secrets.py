"""Fields whose column holds ciphertext: secrets are encrypted at rest with rotatable keys (MultiFernet).

The first of settings.ENCRYPTION_KEYS encrypts, every one of them decrypts. `None` and the empty value stay as they
are, so that "no password" can be told without a key. Such fields cannot be filtered on. Rotating the keys encrypts anew
with the first one what an older one holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.functions import Cast

from contacts_app.core.lists.statement import binary_rows


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


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is stored encrypted."""

    def get_prep_value(self, value: object) -> object:
        return cipher().encrypt(str(value).encode()).decode("ascii") if value else value

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return _decrypt(value.encode("ascii")).decode() if value else value


class EncryptedBinaryField(models.BinaryField):  # type: ignore[type-arg]
    """Bytes that are stored encrypted."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        ciphertext = cipher().encrypt(bytes(value)) if value else value
        return super().get_db_prep_value(ciphertext, connection, prepared)

    def from_db_value(self, value: Any, *_: object) -> bytes | None:
        return _decrypt(bytes(value)) if value else value


def read_encrypted(rows: "models.QuerySet[Any]", name: str) -> dict[int, bytes]:
    """What the rows hold in an encrypted field of bytes, by their keys: for many large ones."""
    stored = rows.order_by().values_list("pk", name)
    if connection.vendor != "postgresql":
        return dict(stored)
    return {key: _decrypt(bytes(value)) if value else b"" for key, value in binary_rows(stored)}


# A transaction of this many rows is over soon enough for everybody else who wants to write.
BATCH = 200
# What the column holds, past the field that would decrypt it.
STORED_AS: dict[type[models.Field], type[models.Field]] = {  # type: ignore[type-arg]
    EncryptedTextField: models.TextField,
    EncryptedBinaryField: models.BinaryField,
}


@dataclass
class Rotated:
    """What became of the secrets of one column. `unreadable` lists rows that no configured key decrypts."""

    table: str
    column: str
    rotated: int
    current: int
    unreadable: list[int]


def rotate_secrets(*, dry_run: bool = False) -> Iterator[Rotated]:
    """Go through every encrypted column. Run again after an interruption it passes over what is done."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, tuple(STORED_AS)) and model._meta.managed and not model._meta.proxy:
                yield _rotate_column(model, field, dry_run)


def _rotate_column(model: type[models.Model], field: models.Field, dry_run: bool) -> Rotated:  # type: ignore[type-arg]
    done = Rotated(model._meta.label, field.name, 0, 0, [])
    raw = next(kind for encrypted, kind in STORED_AS.items() if isinstance(field, encrypted))
    # The base manager and an UPDATE: neither filters of default managers nor save() rules have a say here.
    filled = model._base_manager.exclude(**{field.name: None})
    rows = filled.annotate(ciphertext=Cast(field.name, raw())).order_by("pk")
    last = 0
    while True:
        with transaction.atomic():
            batch = list(rows.filter(pk__gt=last).select_for_update().values_list("pk", "ciphertext")[:BATCH])
            for pk, ciphertext in batch:
                if ciphertext:
                    _rotate_one(model, field, pk, ciphertext, done, dry_run)
        if len(batch) < BATCH:
            return done
        last = batch[-1][0]


def _rotate_one(
    model: type[models.Model],
    field: models.Field,  # type: ignore[type-arg]
    pk: int,
    ciphertext: str | bytes,
    done: Rotated,
    dry_run: bool,
) -> None:
    stored = ciphertext.encode("ascii") if isinstance(ciphertext, str) else bytes(ciphertext)
    if _under_first_key(stored):
        done.current += 1
        return
    try:
        plain = cipher().decrypt(stored)
    except InvalidToken:
        done.unreadable.append(pk)
        return
    done.rotated += 1
    if not dry_run:
        value = plain.decode() if isinstance(field, EncryptedTextField) else plain
        model._base_manager.filter(pk=pk).update(**{field.name: value})


def _under_first_key(stored: bytes) -> bool:
    try:
        Fernet(settings.ENCRYPTION_KEYS[0]).decrypt(stored)
    except InvalidToken:
        return False
    return True
