"""The rows of shared files and of firmware in memory: which content lies at a path, and for whom.

`refresh` keeps them in step.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from phones_app.boot.names import is_of_one_phone
from phones_app.firmware.models import Firmware
from phones_app.shared_files.models import SharedFile

_COLUMNS = ("pk", "account_id", "phone_id", "path", "sha256")
# An account and a phone; neither: everybody.
Scope = tuple[int | None, int | None]
EVERYBODY: Scope = (None, None)


class Asker(NamedTuple):
    """Who asks, as far as it is known: `phone` is a key, and is of the account."""

    phone: int | None = None
    account: int | None = None
    model: str = ""


class FoundRow(NamedTuple):
    key: int
    digest: bytes


class RowPlace(NamedTuple):
    """Where a historical row says that a file is or was."""

    key: int
    scope: Scope
    path: str


class SharedRows:
    """One thread writes and others read, one entry at a time."""

    def __init__(self) -> None:
        self._scopes: dict[Scope, dict[str, FoundRow]] = {}
        # The last parts of their paths, and of some that were deleted: most of what is asked for is none of these.
        self._names: set[str] = set()
        self._folders: dict[str, list[tuple[int | None, str]]] = {}

    def find(self, path: str, asker: Asker) -> FoundRow | None:
        """A phone's own row before its account's, and that before everybody's."""
        if not self.has_name(path):
            return None
        name = _folded(path)
        if asker.account is not None:
            if asker.phone is not None and (row := self._in((asker.account, asker.phone), name)):
                return row
            if row := self._in((asker.account, None), name):
                return row
        return self._in(EVERYBODY, name)

    def has_name(self, path: str) -> bool:
        """Whether a file of this name may lie anywhere."""
        return _last(path) in self._names

    def of_phone(self, path: str, asker: Asker) -> FoundRow | None:
        return self._in((asker.account, asker.phone), _folded(path)) if asker.phone is not None else None

    def firmware_folders(self, name: str, asker: Asker) -> Iterable[str]:
        """Where this file of a load lies, in the firmware of the account before that of everybody."""
        if (found := self._folders.get(name.lower())) is None:
            return
        for account in dict.fromkeys((asker.account, None)):
            yield from (folder for owner, folder in found if owner == account)

    def load(self) -> None:
        scopes: defaultdict[Scope, dict[str, FoundRow]] = defaultdict(dict)
        for key, account, phone, path, sha256 in SharedFile.objects.order_by().values_list(*_COLUMNS).iterator():
            scopes[account, phone][_folded(path)] = FoundRow(key, bytes.fromhex(sha256))
        names = {_last(path) for files in scopes.values() for path in files}
        # Others read meanwhile.
        self._names |= names
        self._scopes = dict(scopes)
        self._names = names
        self.load_firmware()

    def load_firmware(self) -> None:
        folders: defaultdict[str, list[tuple[int | None, str]]] = defaultdict(list)
        rows = Firmware.objects.exclude(folder="").order_by("-created_at", "-pk")
        for account, load, folder, components in rows.values_list("account_id", "load", "folder", "components"):
            for name in {f"{load}.loads", *(one["name"] for one in components)}:
                folders[name.lower()].append((account, folder))
        self._folders = dict(folders)

    def changed(self, keys: Collection[int], places: Iterable[RowPlace]) -> None:
        """The rows with these keys, which are or were at these places. A replaced file is never missing meanwhile."""
        now: set[tuple[Scope, str]] = set()
        rows = SharedFile.objects.filter(pk__in=keys).order_by().values_list(*_COLUMNS)
        for key, account, phone, path, sha256 in rows:
            name = _folded(path)
            self._names.add(_last(path))
            self._scopes.setdefault((account, phone), {})[name] = FoundRow(key, bytes.fromhex(sha256))
            now.add(((account, phone), name))
        for place in places:
            name = _folded(place.path)
            row = self._in(place.scope, name)
            if row is not None and row.key == place.key and (place.scope, name) not in now:
                del self._scopes[place.scope][name]

    def _in(self, scope: Scope, name: str) -> FoundRow | None:
        files = self._scopes.get(scope)
        return files.get(name) if files is not None else None


def _last(path: str) -> str:
    return path.rpartition("/")[2].lower()


def _folded(path: str) -> str:
    """As paths are compared: whatever their case, but for the files of single phones, which stay exact."""
    return path if is_of_one_phone(path) else path.lower()
