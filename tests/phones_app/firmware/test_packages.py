"""Packages are opened within limits, and hostile ones are refused with the reason (boot server spec §2.5)."""

import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from contacts_app.core.errors import Refusal
from phones_app.firmware.sets.package import open_package
from phones_app.firmware.sets.verdict import judge
from tests.phones_app.firmware import sets


def zipped(path: Path) -> Path:
    return sets.as_zip({f"cmterm/{name}": content for name, content in sets.classic().items()}, path)


def tarred(path: Path) -> Path:
    path.write_bytes(sets.tar_gz({f"./{name}": content for name, content in sets.classic().items()}))
    return path


def cop(path: Path) -> Path:
    path.write_bytes(sets.signed(path.name, sets.tar_gz(sets.classic())))
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cmterm-7962.zip", zipped),
        ("cmterm-7962.tgz", tarred),
        ("cmterm-7962.tar.gz", tarred),
        ("cmterm-7962.k3.cop.sgn", cop),
        ("cmterm-7962.k4.cop.sha512", cop),
    ],
)
def test_each_kind_of_package_is_looked_through(name, make, tmp_path):
    told = list[float]()
    package = open_package(make(tmp_path / name), lambda _doing, done: told.append(done))
    [one] = judge(package)

    assert (one.load, one.complete) == ("SIP42.9-4-2SR3-1S", True)
    assert one.size == sum(map(len, sets.classic().values()))
    assert told
    assert all(0 <= part <= 1 for part in told)
    assert os.listdir(tmp_path) == [name]


def claims_a_huge_directory() -> bytes:
    content = bytearray(sets.zip_of(("a.sbn", b"x")) + bytes(3_000_000))
    end = content.index(b"PK\x05\x06")
    record = content[end : end + 22]
    struct.pack_into("<II", record, 12, 2_500_000, 100)
    return bytes(content[:end]) + bytes(2_600_000) + bytes(record)


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname = kind, size, link
    return made


def of_tar(*entries: tarfile.TarInfo) -> Callable[[], bytes]:
    return lambda: sets.tar_gz_of(*entries)


def damaged_zip() -> bytes:
    content = bytearray(sets.zip_of(("a.sbn", b"x" * 100)))
    content[60] ^= 0xFF
    return bytes(content)


HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("zip, up", lambda: sets.zip_of(("../a.sbn", b"x")), "bad-path"),
    ("zip, up by backslashes", lambda: sets.zip_of(("a\\..\\..\\b.sbn", b"x")), "bad-path"),
    ("zip, absolute", lambda: sets.zip_of(("/etc/a.sbn", b"x")), "bad-path"),
    ("zip, drive", lambda: sets.zip_of(("C:/a.sbn", b"x")), "bad-path"),
    ("zip, control characters", lambda: sets.zip_of(("a\x1b[2J.sbn", b"x")), "bad-path"),
    ("zip, link", lambda: sets.zip_of(("a.sbn", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "no-plain-file"),
    ("zip, device", lambda: sets.zip_of(("a.sbn", b""), mode=stat.S_IFBLK | 0o600), "no-plain-file"),
    ("zip, encrypted", sets.encrypted_zip, "encrypted-archive"),
    ("zip, another method", lambda: sets.zip_of(("a.sbn", b"x" * 99), method=zipfile.ZIP_BZIP2), "bad-archive"),
    ("zip, bomb", lambda: sets.zip_of(("a.sbn", bytes(30_000_000)), method=zipfile.ZIP_DEFLATED), "too-large"),
    ("zip, many", lambda: sets.zip_of(*((f"{number}.sbn", b"") for number in range(2_001))), "too-many-files"),
    ("zip, damaged", damaged_zip, "bad-archive"),
    ("zip, huge directory", claims_a_huge_directory, "bad-archive"),
    ("zip, cut", lambda: sets.zip_of(("a.sbn", b"x" * 99))[:-30], "bad-archive"),
    ("tar, up", of_tar(entry("../a.sbn")), "bad-path"),
    ("tar, absolute", of_tar(entry("/etc/a.sbn")), "bad-path"),
    ("tar, link", of_tar(entry("a.sbn", tarfile.SYMTYPE, link="/etc/passwd")), "no-plain-file"),
    ("tar, hard link", of_tar(entry("a.sbn", tarfile.LNKTYPE, link="/etc/passwd")), "no-plain-file"),
    ("tar, device", of_tar(entry("a.sbn", tarfile.CHRTYPE)), "no-plain-file"),
    ("tar, pipe", of_tar(entry("a.sbn", tarfile.FIFOTYPE)), "no-plain-file"),
    ("tar, twice", of_tar(entry("a.sbn"), entry("./a.sbn")), "bad-archive"),
    ("tar, 2 GB", of_tar(entry("a.sbn", size=2**31)), "too-large"),
    (
        "tar, a name of 900 MB",
        of_tar(entry("././@LongLink", tarfile.GNUTYPE_LONGNAME, size=900_000_000)),
        "bad-archive",
    ),
    ("tar, many", of_tar(*(entry(f"{number}.sbn") for number in range(2_001))), "too-many-files"),
    ("tar, bomb", lambda: sets.tar_gz({"a.sbn": bytes(30_000_000)}), "too-large"),
    ("tar, cut", lambda: sets.tar_gz(sets.classic())[:300], "bad-archive"),
    ("cop, damaged", lambda: sets.header("a.cop.sgn")[:100], "bad-archive"),
    ("cop of nothing", lambda: sets.signed("a.cop.sgn", b""), "no-package"),
    ("text", lambda: b"hello", "no-package"),
    ("empty", lambda: b"", "no-package"),
]


@pytest.mark.parametrize(("make", "code"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_a_hostile_archive_is_refused_and_nothing_is_left(make, code, tmp_path):
    (tmp_path / "package").write_bytes(make())
    with pytest.raises(Refusal) as refused:
        open_package(tmp_path / "package")
    assert refused.value.code == code
    assert os.listdir(tmp_path) == ["package"]


def test_a_component_of_60_mb_is_not_held_in_memory(tmp_path):
    """What does not compress, as firmware is."""
    content = os.urandom(1_000_000) * 60
    package = sets.as_zip({"a.sbn": b""}, tmp_path / "a.zip")
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("rootfs.sbn", content)
    del content
    tracemalloc.start()
    [file] = open_package(package).files
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert file.size == 60_000_000
    assert peak < 4_000_000


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(Refusal) as refused:
        open_package(tmp_path / "nothing.zip")
    assert refused.value.code == "no-package"
