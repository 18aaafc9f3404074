"""Ring tones and backgrounds as shared files: the sounds and pictures, and the lists from which people choose them.

A change of a list keeps what else stands in it. The first entry of an account, or of a phone, begins with a copy of the
list that its phones were given until now: its own list hides that one (boot server spec §11.5).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models.functions import Lower

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal
from phones_app.inventory.models import Phone
from phones_app.shared_files import services, store
from phones_app.shared_files.models import SharedFile
from phones_app.shared_files.services import NewFile
from profiles_app.phone.companions.background import ScreenSize, Unpaintable, files_of, read_picture, screen_sizes
from profiles_app.phone.companions.lists import IMAGES, LONGEST_NAME, RINGS, FullList, KindOfList, ListEntry
from profiles_app.phone.companions.reading import LONGEST, Unreadable
from profiles_app.phone.companions.ring_tone import (
    NARROW,
    WIDE,
    ToneForm,
    Unplayable,
    form_of,
    length_fault,
    read_sound,
    ring_tone,
)

Kind = SharedFile.Kind
# 78xx and 88xx read the second one.
RING_LISTS: Mapping[str, ToneForm] = {"Ringlist.xml": NARROW, "Ringlist-wb.xml": WIDE}
_SUFFIX = len(NARROW.suffix)
_STEM = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_-]{{0,{LONGEST_NAME - _SUFFIX - 1}}}", re.ASCII)
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class FilesOwner:
    """For whom files are: everybody, an account, or one phone of it."""

    account: Account | None = None
    phone: Phone | None = None

    def new(self, path: str, content: bytes, kind: str) -> NewFile:
        return NewFile(path, store.store([content]), self.account, self.phone, kind)

    def own(self, paths: Iterable[str]) -> dict[str, SharedFile]:
        """Those of these files that are exactly for this one, by their paths in lower case."""
        account, phone = self.account.pk if self.account else None, self.phone.pk if self.phone else None
        return services.at_paths(paths, account, phone)

    def given(self, paths: Iterable[str]) -> dict[str, SharedFile]:
        """What phones of this one are given at these paths."""
        rows = services.given_to(self.phone, self.account).alias(lower=Lower("path"))
        return services.nearest(rows.filter(lower__in=[path.lower() for path in paths]))


def content_of(row: SharedFile | None) -> bytes:
    """A small file; nothing where there is none. Raises Refusal."""
    if row is None:
        return b""
    try:
        with store.read(row.sha256) as file:
            content = file.read(LONGEST + 1)
    except FileNotFoundError:
        raise Refusal("content-lost", f"The content of {row} is not on the disk any more.") from None
    if len(content) > LONGEST:
        raise Refusal("too-large", f"{row} has more than {LONGEST:,} bytes: this is no file of its kind.")
    return content


def entries_of(owner: FilesOwner, kind: KindOfList, path: str) -> list[ListEntry]:
    """The list that phones of the owner are given. Raises Refusal where it cannot be read."""
    return _entries(kind, path, owner.given([path]))


def _entries(kind: KindOfList, path: str, given: Mapping[str, SharedFile]) -> list[ListEntry]:
    try:
        return kind.entries(content_of(given.get(path.lower())))
    except Unreadable as refused:
        raise Refusal("unreadable-list", f"{path}: {refused}") from None


def stem_of(name: str) -> str:
    """The name of a file for what a person calls it."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[: LONGEST_NAME - _SUFFIX] or "new"


def add_ring_tone(
    owner: FilesOwner, name: str, upload: bytes, *, stem: str = "", cut: bool = False
) -> list[SharedFile]:
    """Make both forms of a sound file and put each into its list. `cut`: what is too long is cut. Raises Refusal."""
    stem = stem or stem_of(name)
    if not _STEM.fullmatch(stem):
        raise Refusal(
            "bad-file-name", f"“{stem[:40]}” is no file name: up to {LONGEST_NAME - _SUFFIX} letters, digits, - and _."
        )
    if not 0 < len(name) <= LONGEST_NAME:
        raise Refusal("bad-name", f"Phones show names of 1 to {LONGEST_NAME} characters.")
    try:
        sound = read_sound(upload)
    except Unplayable as refused:
        raise Refusal("unplayable", str(refused)) from None
    faults = [fault for form in RING_LISTS.values() if (fault := length_fault(sound, form))]
    if faults and not (cut and sound.seconds > 1):
        raise Refusal("bad-length", " ".join(faults))
    made = {path: ring_tone(sound, form) for path, form in RING_LISTS.items()}
    named = {path: f"{stem}{form.suffix}" for path, form in RING_LISTS.items()}
    files = [owner.new(named[path], content, Kind.RING_TONE) for path, content in made.items()]
    changes = {path: partial(RINGS.with_entry, entry=ListEntry(name, file)) for path, file in named.items()}
    return _change_lists(owner, changes, Kind.RING_LIST, files)


def remove_ring_tone(owner: FilesOwner, path: str, file: str) -> None:
    """Out of this list; the sound goes along where it is the owner's and no other list of it has it."""
    _change_lists(owner, {path: partial(RINGS.without, file=file)}, Kind.RING_LIST)
    if not any(entry.file == file for each in RING_LISTS for entry in entries_of(owner, RINGS, each)) and form_of(file):
        services.remove(owner.own([file]).values())


def order_ring_tones(owner: FilesOwner, path: str, files: Sequence[str]) -> None:
    _change_lists(owner, {path: partial(RINGS.in_order, files=files)}, Kind.RING_LIST)


def add_background(owner: FilesOwner, name: str, upload: bytes, *, whole: bool = False) -> list[SharedFile]:
    """Make every size of a picture, and put it into the list of each. Raises Refusal."""
    if not _STEM.fullmatch(name):
        raise Refusal("bad-name", f"“{name[:40]}” is no name: up to {LONGEST_NAME - _SUFFIX} letters, digits, - and _.")
    try:
        made = list(files_of(read_picture(upload), name, whole=whole))
    except Unpaintable as refused:
        raise Refusal("unpaintable", str(refused)) from None
    files = [owner.new(path, content, Kind.BACKGROUND) for path, content in made]
    changes = {size.list_path: partial(IMAGES.with_entry, entry=size.entry(name)) for size in _with_lists()}
    return _change_lists(owner, changes, Kind.BACKGROUND_LIST, files)


def remove_background(owner: FilesOwner, name: str) -> None:
    """Out of all lists, and its pictures where they are the owner's."""
    _change_backgrounds(owner, lambda size: partial(IMAGES.without, file=size.entry(name).file))
    paths = [path for size in screen_sizes() for path in (size.path(name), size.preview_path(name))]
    services.remove(owner.own(paths).values())


def order_backgrounds(owner: FilesOwner, names: Sequence[str]) -> None:
    _change_backgrounds(owner, lambda size: partial(IMAGES.in_order, files=[size.entry(name).file for name in names]))


def backgrounds_of(owner: FilesOwner) -> dict[str, list[tuple[ScreenSize, SharedFile]]]:
    """By name, in the order of the first list that has it: each size that phones of the owner are given."""
    lists = owner.given([size.list_path for size in _with_lists()])
    names: dict[str, None] = {}
    for size in _with_lists():
        names |= dict.fromkeys(entry.name for entry in _entries(IMAGES, size.list_path, lists))
    files = owner.given(size.path(name) for size in screen_sizes() for name in names)
    return {
        name: [(size, row) for size in screen_sizes() if (row := files.get(size.path(name).lower()))] for name in names
    }


def _with_lists() -> Iterator[ScreenSize]:
    return (size for size in screen_sizes() if size.preview)


def _change_backgrounds(owner: FilesOwner, change_for: Callable[[ScreenSize], Change]) -> None:
    """In the lists that there are: a list is made when something is put into it."""
    present = owner.given([size.list_path for size in _with_lists()])
    changes = {size.list_path: change_for(size) for size in _with_lists() if size.list_path.lower() in present}
    _change_lists(owner, changes, Kind.BACKGROUND_LIST)


def _change_lists(
    owner: FilesOwner, changes: Mapping[str, Change], kind: Kind, files: Sequence[NewFile] = ()
) -> list[SharedFile]:
    """Store the changed lists and what they name, all or nothing, one change after the other."""
    with transaction.atomic():
        # Whoever changes one of these lists at the same time waits here, and reads what this change has made of it.
        keys = [row.pk for row in owner.given(changes).values()]
        list(SharedFile.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))
        present = owner.given(changes)
        lists = []
        for path, change in changes.items():
            before = content_of(present.get(path.lower()))
            try:
                lists.append(owner.new(path, change(before), kind))
            except Unreadable as refused:
                raise Refusal("unreadable-list", f"{path}: {refused}") from None
            except FullList as full:
                raise Refusal("list-full", f"{path}: {full}") from None
        return services.put_many([*files, *lists])
