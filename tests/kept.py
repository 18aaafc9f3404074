"""Folders that take long to make, kept in pytest's cache until a file changes that they are made from."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What decides which tables and rows a new database has: migrations of ours and of packages, and the tables they read.
OF_DATABASES = [
    "*_app/migrations/*.py", "*_app/**/*.toml", "contacts_app/core/migrating.py", "requirements-dev.lock",
    "tests/databases.py", "tests/upgrade/dump.py", "tests/upgrade/*.json.xz",
]  # fmt: skip


def digest(patterns: Sequence[str]) -> str:
    """Of all files that the patterns name."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def kept(kind: str, patterns: Sequence[str], make: Callable[[Path], None]) -> Path:
    """The folder of this kind, filled by `make` if there is none for the present files; by one process at a time."""
    home = ROOT / ".pytest_cache" / kind
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = home / digest(patterns)
        if not folder.exists():
            for old in filter(Path.is_dir, home.iterdir()):
                shutil.rmtree(old)
            unfinished = home / "unfinished"
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
