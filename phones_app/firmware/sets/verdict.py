"""Whether each load of a package is complete: every component there, under its exact name, and what it says it is.

A phone that does not find one component stops without a word, so the component is named (boot server spec §2.3).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from contacts_app.core.tables import table
from phones_app.firmware.sets.header import DamagedHeader, FirmwareHeader, is_signed, read_header
from phones_app.firmware.sets.loads import DIGEST_LENGTH, LONGEST_LOADS, Component, DamagedLoads, read_loads
from phones_app.firmware.sets.package import LOADS, FirmwarePackage, PackedFile
from phones_app.firmware.sets.versions import version_of_load
from profiles_app.phone.sep.catalogue import models_of_load, software_of_load


@dataclass(frozen=True)
class FirmwareFault:
    """Why a load is not complete, or what is remarkable about it. `file` is the component or the `.loads` itself."""

    code: str
    file: str
    message: str
    platform: str = ""


@dataclass(frozen=True)
class FirmwareSet:
    """One `.loads` and what it names. `size` counts what a phone of every platform would fetch, each file once."""

    package: str
    file: str
    version: str
    protocol: str
    models: tuple[str, ...]
    size: int
    components: tuple[Component, ...]
    faults: tuple[FirmwareFault, ...]
    remarks: tuple[FirmwareFault, ...] = ()

    @property
    def load(self) -> str:
        return self.file.rpartition("/")[2][: -len(LOADS)]

    @property
    def is_default(self) -> bool:
        """Whether phones boot from it after a factory reset."""
        return re.fullmatch(table(__file__, "firmware.toml")["default_load"], self.load) is not None

    @property
    def complete(self) -> bool:
        return not self.faults

    @property
    def platforms(self) -> dict[str, bool]:
        """For each kind of hardware whether its part is complete; what stands in no section concerns all of them."""
        names = dict.fromkeys(component.platform for component in self.components if component.platform)
        return {name: not any(fault.platform in ("", name) for fault in self.faults) for name in names}


def judge(package: FirmwarePackage) -> list[FirmwareSet]:
    """The sets of a package, by path. None: there is no `.loads` in it."""
    shelves: dict[str, list[PackedFile]] = defaultdict(list)
    for file in package.files:
        shelves[file.folder].append(file)
    found: list[FirmwareSet] = []
    for folder in sorted(shelves):
        shelf = _Shelf(shelves[folder], package.files)
        loads = sorted((file for file in shelves[folder] if _is_load(file.name)), key=lambda file: file.name)
        found += _with_defaults([_judge(package.name, file, shelf) for file in loads])
    return [one for one in found if package.only in ("", one.file)]


def _is_load(name: str) -> bool:
    return name.lower().endswith(LOADS) and not re.match(table(__file__, "firmware.toml")["no_load"], name)


class _Shelf:
    """The files of one folder, by the names that they have, and by those that their headers say."""

    def __init__(self, files: Sequence[PackedFile], everywhere: Sequence[PackedFile]) -> None:
        self.named = {file.name: file for file in files}
        self.any_case = {file.name.lower(): file for file in files}
        self.elsewhere = {file.name: file for file in everywhere}
        self.signed_as: dict[str, PackedFile] = {}
        for file in files:
            if header := _header(file):
                self.signed_as.setdefault(header.name, file)


def _header(file: PackedFile) -> FirmwareHeader | None:
    try:
        return read_header(file.head)
    except DamagedHeader:
        return None


def _judge(package: str, file: PackedFile, shelf: _Shelf) -> FirmwareSet:
    load = file.name[: -len(LOADS)]
    components, faults, remarks = _components(file, load)
    faults += [fault for component in components if (fault := _fault(component, load, shelf))]
    there = {component.name: shelf.named.get(component.name) for component in components}
    return FirmwareSet(
        package=package,
        file=file.path,
        version=version_of_load(load),
        protocol=software_of_load(load) or "",
        models=tuple(sorted(models_of_load(load))),
        size=file.size + sum(found.size for found in there.values() if found),
        components=tuple(components),
        faults=tuple(faults),
        remarks=tuple(remarks),
    )


def _components(file: PackedFile, load: str) -> tuple[Sequence[Component], list[FirmwareFault], list[FirmwareFault]]:
    """What the `.loads` names, what is wrong with the `.loads`, and what is remarkable about it."""
    faults, remarks, payload = list[FirmwareFault](), list[FirmwareFault](), file.head
    try:
        if not file.plain:
            return (), [FirmwareFault("link", file.name, "it is a link or a device, which is not followed")], []
        if is_signed(file.head) or _known_payload(load) is not None:
            header = read_header(file.head)
            payload = file.head[header.length :]
            if header.name != file.name:
                faults.append(FirmwareFault("renamed", file.name, f"it is {header.name} under another name"))
        else:
            remarks.append(FirmwareFault("unsigned", file.name, "it has no signed header, so its name proves nothing"))
        if file.size > len(file.head) or len(payload) > LONGEST_LOADS:
            raise DamagedLoads(f"it is longer than {LONGEST_LOADS:,} bytes")
        return read_loads(payload), faults, remarks
    except (DamagedHeader, DamagedLoads) as error:
        return (), [*faults, FirmwareFault("damaged", file.name, str(error))], remarks


def _fault(component: Component, load: str, shelf: _Shelf) -> FirmwareFault | None:
    file = shelf.named.get(component.name)
    code, message = _absent(component.name, shelf) if file is None else _wrong(component, file, load)
    if not code:
        return None
    if component.condition:
        message += f" (for phones with {component.condition})"
    return FirmwareFault(code, component.name, message, component.platform)


def _absent(name: str, shelf: _Shelf) -> tuple[str, str]:
    if other := shelf.any_case.get(name.lower()):
        return "case", f"it is there as {other.name}, and the case of names counts"
    if other := shelf.signed_as.get(name):
        return "renamed", f"it is there under another name, {other.name}"
    if other := shelf.elsewhere.get(name):
        return "elsewhere", f"it is not beside its load but at {other.path}"
    return "missing", "it is not there"


def _wrong(component: Component, file: PackedFile, load: str) -> tuple[str, str]:
    if not file.plain:
        return "link", "it is a link or a device, which is not followed"
    if component.size is not None and component.size != file.size:
        return "size", f"it has {file.size:,} bytes, and the load says {component.size:,}"
    known = _known_payload(load, file.name)
    payload = file.head
    if known is not None or is_signed(file.head):
        try:
            header = read_header(file.head)
        except DamagedHeader as error:
            return "damaged", str(error)
        if header.name != file.name:
            return "renamed", f"it is {header.name} under this name"
        payload = file.head[header.length :]
        if file.size <= header.length:
            return "damaged", "nothing follows its header"
    # Not the MD5 of the file: the digest is what the payload begins with.
    if component.digest is not None and component.digest != payload[:DIGEST_LENGTH]:
        return "digest", "its digest is another one than the load says"
    if known and not payload.startswith(known.encode()):
        return "damaged", f"its content does not begin with {known}, as that of this family does"
    return "", ""


def _known_payload(load: str, name: str = "") -> str | None:
    """What the payload of a component begins with, or of any when there is no name; None: nothing is known of it."""
    for row in table(__file__, "firmware.toml")["payload"]:
        if re.match(row["loads"], load) and (not name or name.lower().endswith(row["ending"])):
            return str(row["begins"])
    return None


def _with_defaults(sets: list[FirmwareSet]) -> list[FirmwareSet]:
    """Remark where a phone gets another version after a factory reset than the load beside it (boot server spec §2.4)."""
    defaults = [one for one in sets if one.is_default]
    loads = [one for one in sets if not one.is_default]
    found = {id(one): one for one in sets}
    for default in defaults:
        of_model = [one for one in loads if set(default.models) & set(one.models)]
        same = [one for one in of_model if _names(one) == _names(default)]
        if same:
            found[id(default)] = replace(found[id(default)], version=same[0].version, protocol=same[0].protocol)
        gets = same[0].load if same else "a version that none of the loads beside it has"
        for one in of_model if default.components else ():
            if one not in same:
                text = f"after a factory reset phones boot from it, and get {gets} and not {one.load}"
                remark = FirmwareFault("other-default", default.file.rpartition("/")[2], text)
                found[id(one)] = replace(found[id(one)], remarks=(*found[id(one)].remarks, remark))
    return [found[id(one)] for one in sets]


def _names(one: FirmwareSet) -> set[str]:
    return {component.name for component in one.components}


def faults_as_rows(faults: Sequence[FirmwareFault]) -> Iterator[dict[str, str]]:
    """As JSON shows them."""
    for fault in faults:
        yield {"code": fault.code, "file": fault.file, "platform": fault.platform, "message": fault.message}
