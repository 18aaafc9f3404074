"""Reading the environment: every setting can also come from a file named by NAME_FILE, and secrets make themselves."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

import environ
from cryptography.fernet import Fernet

env = environ.FileAwareEnv()


def new_secret_key() -> str:
    return secrets.token_urlsafe(50)


def new_encryption_key() -> str:
    return Fernet.generate_key().decode()


def secret(name: str, *, kept_in: Path, make: Callable[[], str]) -> str:
    """The secret NAME from the environment, else from the file `kept_in`, which the first process to need it writes.

    The file is written whole under a name of its own and then linked into place, so that processes which start
    together agree on one value and none of them reads half of it.
    """
    if value := env.str(name, default=""):
        return str(value)
    if not kept_in.exists():
        kept_in.parent.mkdir(parents=True, exist_ok=True)
        draft = kept_in.with_name(f".{kept_in.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        try:
            os.link(draft, kept_in)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return kept_in.read_text().strip()
