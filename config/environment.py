"""Reading the environment: every setting can also come from a file named by NAME_FILE, and secrets make themselves.

Reading writes nothing. Entry points call `prepare` first, which makes the data folder and the secrets that are missing.
"""

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import environ

env = environ.FileAwareEnv()

BASE_DIR = Path(__file__).resolve().parent.parent


def new_secret_key() -> str:
    return secrets.token_urlsafe(50)


def new_encryption_key() -> str:
    # Only a new installation needs it, and it takes its time to load.
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


# Secrets that are kept in the data folder, in the file of their name in lower case, unless the environment has them.
KEPT: dict[str, Callable[[], str]] = {"SECRET_KEY": new_secret_key, "ENCRYPTION_KEYS": new_encryption_key}


def data_dir() -> Path:
    return Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()


def secret(name: str) -> str:
    """The secret NAME from the environment, else from the data folder; "" if it is in neither."""
    kept_in = data_dir() / name.lower()
    return str(env.str(name, default="")) or (kept_in.read_text().strip() if kept_in.exists() else "")


def prepare() -> None:
    """Make the data folder, with a place for static files, and the secrets that are missing there.

    A secret is written whole under a name of its own and then linked into place, so that processes which start together
    agree on one value and none of them reads half of it. Everything that is made there from now on, the database too, is
    for this user alone.
    """
    os.umask(0o077)
    folder = data_dir()
    (folder / "static").mkdir(parents=True, exist_ok=True)
    for name, make in KEPT.items():
        kept_in = folder / name.lower()
        if env.str(name, default="") or kept_in.exists():
            continue
        draft = folder / f".{kept_in.name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(make())
        try:
            os.link(draft, kept_in)
        except FileExistsError:
            pass
        finally:
            draft.unlink()


if __name__ == "__main__":
    # New keys, for the file of variables that all machines share.
    sys.stdout.writelines(f"{name}={make()}\n" for name, make in KEPT.items())
