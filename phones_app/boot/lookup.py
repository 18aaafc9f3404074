"""How a name and an address become an open file: the one place that knows what is given to whom (boot server spec §6)."""

import time
from io import FileIO

import structlog
from django.conf import settings

from phones_app.boot.fetches import Fetch
from phones_app.boot.files import PlainFiles
from phones_app.boot.folders import folders_of
from phones_app.boot.made import made_for
from phones_app.boot.names import is_of_one_phone, mac_in
from phones_app.boot.refresh import PortalInMemory
from phones_app.boot.shared_rows import Asker, FoundRow
from phones_app.shared_files.store import place_of

log = structlog.get_logger(__name__)
_UNKNOWN = Asker()


class _StoredFile(FileIO):
    """The content of a row, whose digest is known."""

    def __init__(self, digest: bytes) -> None:
        self.sha256 = digest.hex()
        super().__init__(place_of(self.sha256))


class FileLookup:
    """What phones are given: rows of shared files before what lies in the folder. Without `portal` the folder alone.

    Its callers are on one event loop: it has no lock.
    """

    def __init__(self, folder: PlainFiles, portal: PortalInMemory | None = None) -> None:
        self._folder = folder
        self._portal = portal or PortalInMemory()
        self._lost: set[bytes] = set()

    async def open(self, fetch: Fetch) -> FileIO | None:
        """Open once: whatever replaces the file afterwards, this reader keeps its version.

        None: there is no such file for who asks.
        """
        asker = self._who(fetch)
        if fetch.refused:
            return None
        found = self._find(fetch.file_name, asker)
        if isinstance(found, FoundRow):
            return self._content(found, fetch)
        return found or await made_for(fetch)

    def _find(self, name: str, asker: Asker) -> FoundRow | FileIO | None:
        shared = self._portal.shared
        if is_of_one_phone(name):
            return shared.of_phone(name, asker) or self._folder.open(name) or shared.find(name, asker)
        return shared.find(name, asker) or self._folder.open(name) or self._find_in_folders(name, asker)

    def _find_in_folders(self, name: str, asker: Asker) -> FoundRow | FileIO | None:
        """In the folders of the firmware that it is part of, then in those of the phone's family."""
        top = self._folder.top()
        for folder in (*self._portal.shared.firmware_folders(name, asker), *folders_of(asker.model)):
            path = f"{folder}/{name}"
            if (row := self._portal.shared.find(path, asker)) is not None:
                return row
            if folder.partition("/")[0].lower() in top and (file := self._folder.open(path)) is not None:
                return file
        return None

    def _who(self, fetch: Fetch) -> Asker:
        at, phones = time.monotonic(), self._portal.phones
        known, is_shared = None, False
        if (mac := mac_in(fetch.file_name)) is not None:
            if settings.FILE_SERVER_OWN_FILES_WHERE_KNOWN and (why := phones.refusal(mac, fetch.address)):
                # Who asks for the file of another phone is not that one.
                fetch.refused = why
                return _UNKNOWN
            known = phones.get(mac)
            phones.named(mac, fetch.address, at)
        elif (there := phones.addresses.at(fetch.address, at)) is not None:
            known, is_shared = phones.get(there.mac), there.is_shared
        if known is None:
            return _UNKNOWN._replace(model=fetch.agent)
        return Asker(None, known.account, fetch.agent) if is_shared else Asker(known.key, known.account, known.model)

    def _content(self, row: FoundRow, fetch: Fetch) -> FileIO | None:
        fetch.shared_file = row.key
        try:
            return _StoredFile(row.digest)
        except OSError as error:
            if row.digest not in self._lost:
                self._lost.add(row.digest)
                log.error("a shared file is lost", file=fetch.file_name, sha256=row.digest.hex(), reason=str(error))
            return None
