"""Makes sets of firmware as every family has them; nothing in them is Cisco's but the form (boot server spec §2)."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

CNU = b"CNU_File_Archive_3.0"
TIZP = b"TiZp"
DIGEST = b"0123456789abcdefABCDEF0123456789"
LATE = b"fedcba9876543210FEDCBA9876543210"
PARTS = ("jar42sip", "cnu42", "apps42", "dsp42", "cvm42sip")


def tlv(tag: int, value: bytes, claimed: int | None = None) -> bytes:
    return bytes([tag]) + (len(value) if claimed is None else claimed).to_bytes(2, "big") + value


def header(name: str, version: bytes = b"\x01\x01") -> bytes:
    """As Cisco's headers go: signer, signature, the name, and a last tag whose length runs over the end."""
    rest = tlv(3, b"s" * 91) + tlv(7, b"i" * 15) + tlv(12, b"\xa5" * 256) + tlv(14, name.encode() + b"\0")
    rest += tlv(13, b"\0\0", claimed=9999)
    length = len(tlv(1, version)) + 5 + len(rest)
    return tlv(1, version) + tlv(2, length.to_bytes(2, "big")) + rest


def signed(name: str, payload: bytes) -> bytes:
    return header(name) + payload


def loads_file(name: str, lines: list[str], end: str = "\r\n") -> bytes:
    return signed(name, end.join([*lines, ""]).encode())


def classic(version: str = "9-4-2SR3-1S", default: str = "", components: str = "9-4-2ES26") -> dict[str, bytes]:
    """A 7962: five components, and what it boots from after a factory reset."""
    names = [f"{part}.{components}.sbn" for part in PARTS]
    made = {name: signed(name, CNU + name.encode() * 40) for name in names}
    lines = ["#HARDWARE_COMP_1 5", *(f"{name} " for name in names)]
    for loads in (f"SIP42.{version}.loads", *([default] if default else [])):
        made[loads] = loads_file(loads, lines)
    return made


def wireless() -> dict[str, bytes]:
    """A 7921: sizes, digests, and components for some hardware alone."""
    made = {
        name: signed(name, digest + b"content" * 9)
        for name, digest in (("APPS-1.4.6.3.SBN", DIGEST), ("WLAN-1.4.6.3.SBN", LATE))
    }
    (plain, size), (other, other_size) = ((name, len(content)) for name, content in made.items())
    lines = [
        "# the second one is for some phones",
        f"{plain} {size} {DIGEST.decode()}",
        "#? HW_REV 0-4.*",
        "#? SW_CAP 2",
        f"#+ {other} {other_size} {LATE.decode()}",
    ]
    return made | {"CP7921G-1.4.6.3.LOADS": loads_file("CP7921G-1.4.6.3.LOADS", lines, end="\n")}


def by_platform(family: str = "88xx") -> dict[str, bytes]:
    """An 8841: INI by hardware. Nothing says that its components are signed."""
    names = (f"rootfs{family}.14-2-1.sbn", f"rootfs2{family}.14-2-1.sbn", "sb288.sbn")
    made = {name: b"hsqs" + name.encode() * 9 for name in names}
    lines = ["[PLATFORM_1]", "version=14.2.1", f"rootfs={names[0]}", f"sb2 = {names[2]}", ""]
    lines += ["[PLATFORM_2]", f"rootfs={names[1]}"]
    load = f"sip{family}.14-2-1-0101-14.loads"
    return made | {load: loads_file(load, lines)}


def by_platform_7811() -> dict[str, bytes]:
    return by_platform("78xx")


def listed(load: str, names: list[str], payload: bytes = b"part" * 20, lines: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Signed components, one name per line of the list."""
    made = {name: signed(name, payload) for name in names}
    return made | {f"{load}.loads": loads_file(f"{load}.loads", [*names, *lines])}


def old_6901() -> dict[str, bytes]:
    return listed(
        "SCCP6901.9-2-1-a", ["KNL6901SCCP.9-2-1-a.zz.sgn", "APP6901SCCP.9-2-1-a.zz.sgn"], TIZP + b"\1\2\3" * 50
    )


def old_6921() -> dict[str, bytes]:
    names = ["BOOT69xx.0-0-0-14.zz.sgn", "DSP69xx.0-0-0-5.zz.sgn", "SCCP69xx.9-4-1-3SR3.zz.sgn"]
    return listed("SCCP69xx.9-4-1-3SR3", names, TIZP + b"\1\2\3" * 50)


def old_6945() -> dict[str, bytes]:
    return listed("SCCP6945.9-3-1-3", [f"SCCP6945.9-3-1-3.bin{number}.sgn" for number in range(1, 5)])


def old_9971() -> dict[str, bytes]:
    names = [f"{part}9971.9-4-2SR4-1.sebn" for part in ("kern", "rootfs", "sboot", "skern", "dkern")]
    return listed("sip9971.9-4-2SR4-1", names)


def old_7960_with_sccp() -> dict[str, bytes]:
    return listed("P0030801SR02", ["P0030801SR02.sbn", "P0030801SR02.sb2"], lines=("LA_VERSION=PAS30831",))


def old_8941() -> dict[str, bytes]:
    names = [f"SCCP894x.9-4-2SR1-2.bin{number}.sgn" for number in range(1, 10)]
    made = {name: signed(name, b"part" * 20) for name in names}
    return made | {"SCCP894x.9-4-2SR1-2.loads": loads_file("SCCP894x.9-4-2SR1-2.loads", names, end="\n")}


def old_7940() -> dict[str, bytes]:
    names = ["P003-8-12-00.sbn", "P0S3-8-12-00.sb2"]
    made = {name: signed(name, b"image" * 20) for name in names}
    lines = [*names, "LA_VERSION=PAS30831"]
    return made | {"P0S3-8-12-00.loads": loads_file("P0S3-8-12-00.loads", lines), "OS79XX.TXT": b"P003-8-12-00\r\n"}


def as_folder(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def as_zip(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def zip_of(*entries: tuple[str, bytes], mode: int = 0, method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of any entries, also of names that lead elsewhere or come twice, and of links (`mode`)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content, method)
    return packed.getvalue()


def encrypted_zip() -> bytes:
    """The flag in both headers of the entry."""
    content = bytearray(zip_of(("a.sbn", b"x")))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def tar_gz(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def tar_gz_of(*entries: tarfile.TarInfo) -> bytes:
    """Entries without content, whatever they claim."""
    return gzip.compress(b"".join(entry.tobuf(tarfile.GNU_FORMAT) for entry in entries) + bytes(1024))
