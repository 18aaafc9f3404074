"""Takes firmware in: a package is judged, and all of its loads are stored, or none (boot server spec §8).

A package is read twice rather than unpacked: first to judge it, and then to store what its loads need.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from contacts_app.accounts.models import Account
from contacts_app.core.archives import Watch
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from phones_app.firmware.checks import check
from phones_app.firmware.models import LONGEST_LOAD, LONGEST_VERSION, Firmware
from phones_app.firmware.sets.package import LOADS, FirmwarePackage, PackedFile, Source, limit, open_package
from phones_app.firmware.sets.verdict import FirmwareSet, judge
from phones_app.shared_files import services as shared_files
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from phones_app.shared_files.services import NewFile
from phones_app.shared_files.store import StoredContent

# So many faults are told in one sentence; all of them are in `incomplete`.
NAMED = 10
NO_LOADS = "There is no .loads file, which lists the files of a load."


class IncompleteFirmware(Refusal):
    """What is missing of which load. `incomplete` has all of it."""

    def __init__(self, incomplete: Sequence[FirmwareSet]) -> None:
        self.incomplete = incomplete
        told = [text for one in incomplete for text in _told(one)]
        more = [f"and {len(told) - NAMED} more"] if len(told) > NAMED else []
        super().__init__("incomplete-firmware", f"Nothing was added. {'; '.join([*told[:NAMED], *more])}.")


@dataclass(frozen=True)
class AddedFirmware:
    """`kept` are the lists for after a factory reset that were there before, and stay as they are."""

    loads: tuple[Firmware, ...]
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """Whose the files are to be, None: everybody's, and in which folder."""

    account: Account | None
    folder: str

    @property
    def owner(self) -> int | None:
        return self.account.pk if self.account else None

    def path_of(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name


def add_firmware(
    source: Source,
    *,
    account: Account | None = None,
    folder: str = "",
    replace_defaults: bool = False,
    dry_run: bool = False,
    on_progress: Watch = lambda _doing, _done: None,
) -> AddedFirmware:
    """Add all loads of a package: for the phones of one account, or None: of all.

    `source` is a path, or files that were uploaded by their names. With `replace_defaults` phones boot from what the
    package has for that after a factory reset. Of a dry run no row is stored, and those that would be are returned.
    Raises Refusal, and OSError where the package cannot be read.
    """
    place = _Place(account, folder.strip("/"))
    package = open_package(source, lambda doing, done: on_progress(doing, done / 2))
    number = sum(file.name.lower().endswith(LOADS) for file in package.files)
    if not package.only and number > limit("loads"):
        raise Refusal("too-many-loads", f"There are more than {limit('loads')} .loads files. Add them in parts.")
    sets = judge(package)
    loads = [one for one in sets if not one.is_default]
    _check(loads, sets, place)
    wanted = _wanted(sets, package, place)
    lists = {wanted[one.file] for one in sets if one.is_default}
    with store.Staging() as staging:
        contents = _read(source, package, wanted, staging, lambda doing, done: on_progress(doing, 0.5 + done / 2))
        with transaction.atomic():
            present = shared_files.at_paths(contents, place.owner, None)
            _check_same(contents, present, place, lists)
            kept = {path for path in lists if not replace_defaults and _is_another(path, contents, present)}
            shared_files.put_many(_new(contents, present, place, kept))
            rows = [_write(one, contents, package.name, place) for one in loads]
            if dry_run:
                transaction.set_rollback(True)
            else:
                staging.place()
                # What is remarkable beside the other loads shows when all of them are there.
                rows = check(rows)
    return AddedFirmware(tuple(rows), tuple(sorted(kept)))


def _told(one: FirmwareSet) -> Iterator[str]:
    whole = [name for name, complete in one.platforms.items() if complete]
    for fault in one.faults:
        where = f"{one.load}, {fault.platform}" if fault.platform else one.load
        yield f"{where}: {fault.file}: {fault.message}"
    if whole:
        yield f"{one.load} is complete for {', '.join(whole)} alone"


def _check(loads: Sequence[FirmwareSet], sets: Sequence[FirmwareSet], place: _Place) -> None:
    if not loads:
        raise Refusal("no-loads", NO_LOADS)
    if incomplete := [one for one in sets if one.faults]:
        raise IncompleteFirmware(incomplete)
    for one in loads:
        for name, value, most in (("load", one.load, LONGEST_LOAD), ("version", one.version, LONGEST_VERSION)):
            if len(value) > most:
                raise Refusal("long-name", f"{one.load[:60]}… is longer than any name of a {name}: {most} characters.")
    names = [one.load for one in loads]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Refusal("load-twice", f"The package has {', '.join(twice)} in two folders. Add one of these.")
    for row in Firmware.objects.filter(account=place.owner, load__in=names).exclude(folder=place.folder):
        where = f"in the folder {row.folder}" if row.folder else "at the top"
        raise Refusal("other-folder", f"{row.load} is there already, {where}. Remove it first.")


def _wanted(sets: Sequence[FirmwareSet], package: FirmwarePackage, place: _Place) -> dict[str, str]:
    """The paths that files get, by those in the package. Raises Refusal."""
    wanted: dict[str, str] = {}
    for one in sets:
        inside = one.file.rpartition("/")[0]
        for name in (one.file.rpartition("/")[2], *(component.name for component in one.components)):
            path = f"{inside}/{name}" if inside else name
            wanted[path] = place.path_of(name)
            shared_files.ensure_path(wanted[path])
    # Archives are bounded while they are read; files that lie by themselves are not.
    sizes = [file.size for file in package.files if file.path in wanted]
    if max(sizes) > limit("each") or sum(sizes) > limit("together"):
        most, together = limit("each") // 1024**2, limit("together") // 1024**2
        raise Refusal("too-large", f"The files of the load are too large: {most} MB each and {together} MB together.")
    return wanted


def _read(
    source: Source, package: FirmwarePackage, wanted: Mapping[str, str], staging: store.Staging, watch: Watch
) -> dict[str, StoredContent]:
    """The contents by the paths that they get. Raises Refusal where the package is not the one that was judged."""
    contents: dict[str, StoredContent] = {}

    def take(path: str, pieces: Iterator[bytes]) -> None:
        if path in wanted:
            content = staging.write(pieces)
            if contents.setdefault(wanted[path], content) != content:
                raise Refusal("other-content", f"The package has two files {wanted[path]}, and they differ.")

    again = open_package(source, watch, take)
    if _those(again, wanted) != _those(package, wanted):
        raise Refusal("changed-meanwhile", "The package was changed while it was read. Add it again.")
    return contents


def _those(package: FirmwarePackage, wanted: Container[str]) -> list[PackedFile]:
    return sorted((file for file in package.files if file.path in wanted), key=lambda file: file.path)


def _is_another(path: str, contents: Mapping[str, StoredContent], present: Mapping[str, SharedFile]) -> bool:
    """Whether there is a file at this path that has another content."""
    there = present.get(path.lower())
    return there is not None and there.sha256 != contents[path].sha256


def _check_same(
    contents: Mapping[str, StoredContent], present: Mapping[str, SharedFile], place: _Place, lists: Container[str]
) -> None:
    """A file that several loads have is the same for all of them, or the other loads would be no longer complete.

    Which load phones boot from after a factory reset is another matter: `lists` may differ.
    """
    for path in contents:
        there = present.get(path.lower())
        if path in lists or there is None:
            continue
        is_another = _is_another(path, contents, present)
        if there.path == path and not is_another:
            continue
        rows = Firmware.objects.filter(account=place.owner, folder__iexact=place.folder)
        needed = sorted(row.load for row in rows if path.lower() in {each.lower() for each in row.paths})
        of = f"of {', '.join(needed)}" if needed else "which belongs to no load"
        differs = "with another content" if is_another else f"as {there.path}"
        raise Refusal("other-content", f"{path} is there already, {of}, {differs}. Nothing was added.")


def _new(
    contents: Mapping[str, StoredContent], present: Mapping[str, SharedFile], place: _Place, kept: Container[str]
) -> Iterator[NewFile]:
    """What is not there as it is to be."""
    for path, content in contents.items():
        there = present.get(path.lower())
        is_there = there is not None and there.sha256 == content.sha256 and there.kind == SharedFile.Kind.FIRMWARE
        if not is_there and path not in kept:
            yield NewFile(path, content, place.account, kind=SharedFile.Kind.FIRMWARE)


def _write(one: FirmwareSet, contents: Mapping[str, StoredContent], package: str, place: _Place) -> Firmware:
    """The row of a load, over one that is there: the same files prove it complete again."""

    def described(name: str, platform: str = "", condition: str = "") -> dict[str, object]:
        content = contents[place.path_of(name)]
        said = {"name": name, "platform": platform, "condition": condition}
        return said | {"size": content.size, "sha256": content.sha256}

    values = {
        "version": one.version,
        "protocol": one.protocol,
        "phone_models": list(one.models),
        "folder": place.folder,
        "components": [
            described(one.file.rpartition("/")[2]),
            *(described(each.name, each.platform, each.condition) for each in one.components),
        ],
        "size": one.size,
        "package": Path(package).name[:255],
        "due_at": clock.now(),
    }
    row, _ = Firmware.objects.update_or_create(account=place.account, load=one.load, defaults=values)
    return row
