"""A counter that is told who asks as the file server finds it out, for tests without a server."""

from pathlib import Path

from phones_app.boot.fetches import Fetch
from phones_app.boot.files import PlainFiles
from phones_app.boot.lookup import FileLookup
from phones_app.boot.names import mac_in
from phones_app.boot.requests import RequestCounter


class AskedCounter(RequestCounter):
    def __init__(self) -> None:
        super().__init__()
        self._lookup = FileLookup(PlainFiles(Path("/nowhere")))

    def note(self, fetch: Fetch) -> None:
        if fetch.refused:
            fetch.mac = mac_in(fetch.file_name)
        else:
            self._lookup.who(fetch)
        super().note(fetch)
