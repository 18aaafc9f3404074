"""Which names lie in the folders of an FTP server, as far as was asked and as our own changes have made it since."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable
from time import monotonic

# A listing of a large folder is megabytes long, so it is not asked for at every upload. What others do in the
# meantime is seen at the next listing; our own changes are noted at once.
LISTING_SECONDS = 60.0

RELATIVE = re.compile(
    r"(?:.*/)?"
    r"(?:\.(?P<of>[^/]+)\.[0-9a-f]{12}\.(?:part|old)"
    r"|(?P<kept>[^/]+?)\.(?P<stamp>\d{8}T\d{6}Z)(?:\.(?P<number>\d+))?\.bak)"
)


def _relative(name: str) -> re.Match[str] | None:
    # Most names are none, which takes less time to see than to match.
    return RELATIVE.fullmatch(name) if name.startswith(".") or name.endswith(".bak") else None


class Listing:
    """The names in one folder, and the relatives of each file at hand: its temporary names and backups.

    A folder of 10,000 phones has some 40,000 names, too many to be searched at every upload.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names: set[str] = set()
        self._folded: dict[str, str] = {}
        self._relatives: defaultdict[str, set[str]] = defaultdict(set)
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        self.names.add(name)
        self._folded[name.lower()] = name
        if match := _relative(name):
            self._relatives[match["of"] or match["kept"]].add(name)

    def discard(self, name: str) -> None:
        self.names.discard(name)
        self._folded.pop(name.lower(), None)
        if match := _relative(name):
            self._relatives[match["of"] or match["kept"]].discard(name)

    def called(self, name: str, *, any_case: bool) -> str | None:
        """What a file or folder is called here that is asked for by this name; None: there is none."""
        if any_case:
            return self._folded.get(name.lower())
        return name if name in self.names else None

    def relatives(self, name: str) -> set[str]:
        return self._relatives.get(name, set())


class Listings:
    """Listings by the paths of their folders, "" for the one at the top; None for a folder that cannot be listed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Listing | None, float]] = {}

    def of(self, path: str) -> Listing | None:
        return self._known[path][0] if path in self._known else None

    def is_fresh(self, path: str) -> bool:
        return path in self._known and monotonic() - self._known[path][1] <= LISTING_SECONDS

    def put(self, path: str, listing: Listing | None) -> None:
        self._known[path] = listing, monotonic()

    def note(self, *, gone: str = "", come: str = "") -> None:
        """Note what we have changed ourselves."""
        for name, change in ((gone, Listing.discard), (come, Listing.add)):
            path, _, base = name.rpartition("/")
            if base and (listing := self.of(path)) is not None:
                change(listing, base)

    def relatives(self, name: str) -> set[str]:
        path, slash, base = name.rpartition("/")
        listing = self.of(path)
        return {f"{path}{slash}{each}" for each in listing.relatives(base)} if listing else set()

    def folder_of(self, name: str, *, any_case: bool) -> str | None:
        """The folder in which a file of this name is looked for; None: it is known that there is no such folder."""
        path, top = posixpath.dirname(name), self.of("")
        first, slash, rest = path.partition("/")
        if not path or top is None:
            return path
        called = top.called(first, any_case=any_case)
        return None if called is None else called + slash + rest

    def present(self, names: frozenset[str], *, any_case: bool) -> frozenset[str] | None:
        """Return those of the names that are there; None where the folder at the top could not be listed.

        What is asked for in a folder that could not be listed counts as there.
        """
        top = self.of("")
        if top is None:
            return None
        # Of a phone's file these are all, mostly.
        found = set() if any_case else set(top.names & names)
        for name in names if any_case else (name for name in names - found if "/" in name):
            folder = self.folder_of(name, any_case=any_case)
            listing = None if folder is None else self.of(folder)
            if folder is not None and (
                listing is None or listing.called(posixpath.basename(name), any_case=any_case) is not None
            ):
                found.add(name)
        return frozenset(found)
