"""How a name and an address become an open file: the one place that knows what is given to whom (boot server spec §6)."""

import os
import time
from collections.abc import Awaitable

import structlog
from django.conf import settings

from phones_app.boot.contents import KeptContents, SentContent
from phones_app.boot.fetches import Fetch
from phones_app.boot.files import PlainFiles
from phones_app.boot.folders import folders_of, tops_of
from phones_app.boot.made import is_made, made_for
from phones_app.boot.names import is_of_one_phone, mac_in
from phones_app.boot.refresh import PortalInMemory
from phones_app.boot.shared_rows import Asker, FoundRow
from phones_app.shared_files.store import place_of

log = structlog.get_logger(__name__)
_UNKNOWN = Asker()


class FileLookup:
    """What phones are given: rows of shared files before what lies in the folder. Without `portal` the folder alone.

    Its callers are on one event loop: it has no lock.
    """

    def __init__(self, folder: PlainFiles, portal: PortalInMemory | None = None) -> None:
        self._folder = folder
        self._portal = portal or PortalInMemory()
        self._kept: KeptContents[bytes] = KeptContents()
        self._lost: set[bytes] = set()

    def open(self, fetch: Fetch) -> "SentContent | Awaitable[SentContent | None] | None":
        """Open once: whatever replaces the file afterwards, this reader keeps its version.

        None: there is no such file for who asks. One that is made takes its time.
        """
        asker = self.who(fetch)
        if fetch.refused:
            return None
        found = self._find(fetch.file_name, asker)
        if isinstance(found, FoundRow):
            return self._content(found, fetch)
        if found is None and is_made(fetch.file_name):
            return made_for(fetch)
        return found

    def _find(self, name: str, asker: Asker) -> FoundRow | SentContent | None:
        shared = self._portal.shared
        if is_of_one_phone(name):
            return shared.of_phone(name, asker) or self._folder.open(name) or shared.find(name, asker)
        return shared.find(name, asker) or self._folder.open(name) or self._find_in_folders(name, asker)

    def _find_in_folders(self, name: str, asker: Asker) -> FoundRow | SentContent | None:
        """In the folders of the firmware that it is part of, then in those of the phone's family."""
        shared, top = self._portal.shared, self._folder.top()
        firmware = tuple(shared.firmware_folders(name, asker))
        if not firmware and not shared.has_name(name) and top.isdisjoint(tops_of(asker.model)):
            return None
        for folder in (*firmware, *folders_of(asker.model)):
            path = f"{folder}/{name}"
            if (row := shared.find(path, asker)) is not None:
                return row
            if folder.partition("/")[0].lower() in top and (file := self._folder.open(path)) is not None:
                return file
        return None

    def who(self, fetch: Fetch) -> Asker:
        """Who asks, which is noted in the fetch: the phone whose file it is, or that of the address."""
        at, phones = time.monotonic(), self._portal.phones
        known, is_shared = None, False
        if (mac := mac_in(fetch.file_name)) is not None:
            fetch.mac = mac
            if settings.FILE_SERVER_OWN_FILES_WHERE_KNOWN and (why := phones.refusal(mac, fetch.address)):
                # Who asks for the file of another phone is not that one.
                fetch.refused = why
                return _UNKNOWN
            known = phones.get(mac)
            phones.named(mac, fetch.address, at)
        elif (there := phones.addresses.at(fetch.address, at)) is not None:
            known, is_shared = phones.get(there.mac), there.is_shared
            fetch.mac = None if is_shared else there.mac
        if known is None:
            return _UNKNOWN._replace(model=fetch.agent)
        return Asker(None, known.account, fetch.agent) if is_shared else Asker(known.key, known.account, known.model)

    def _content(self, row: FoundRow, fetch: Fetch) -> SentContent | None:
        fetch.shared_file = row.key
        if (kept := self._kept.get(row.digest)) is not None:
            return kept
        digest = row.digest.hex()
        try:
            descriptor = os.open(place_of(digest), os.O_RDONLY | os.O_CLOEXEC)
            content = SentContent.opened(descriptor, os.fstat(descriptor), digest)
        except OSError as error:
            if row.digest not in self._lost:
                self._lost.add(row.digest)
                log.error("a shared file is lost", file=fetch.file_name, sha256=digest, reason=str(error))
            return None
        self._kept.keep(row.digest, content)
        return content
