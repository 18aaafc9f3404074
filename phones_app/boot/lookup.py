"""How a name and an address become an open file: the one place that knows what is given to whom (boot server spec §6)."""

from io import FileIO

from phones_app.boot.fetches import Fetch
from phones_app.boot.files import PlainFiles
from phones_app.boot.made import made_for


class FileLookup:
    """What phones are given. Its callers are on one event loop: it has no lock."""

    def __init__(self, folder: PlainFiles) -> None:
        self._folder = folder

    async def open(self, fetch: Fetch) -> FileIO | None:
        """Open once: whatever replaces the file afterwards, this reader keeps its version.

        None: there is no such file for who asks.
        """
        return self._folder.open(fetch.file_name) or await made_for(fetch)
