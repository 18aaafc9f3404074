"""Files out of folders and archives: all of them or none, and nothing of hostile ones (boot server spec §4)."""

import os
import signal
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from contacts_app.core import disk
from phones_app.inventory.models import Phone
from phones_app.shared_files import intake, store
from phones_app.shared_files.models import SharedFile
from tests.commands import run
from tests.phones_app.firmware import sets

pytestmark = pytest.mark.django_db

RINGS = b"<CiscoIPPhoneRingList/>"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"
    return settings.SHARED_FILES_DIR


def on_disk(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.rglob("*") if each.is_file())


def tree(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def paths(**of: object) -> list[str]:
    return list(SharedFile.objects.filter(**of).order_by("path").values_list("path", flat=True))


def test_a_folder_is_taken_with_what_lies_below_it(tmp_path, acme):
    root = tree(
        tmp_path / "tftpboot",
        {
            "Ringlist.xml": RINGS,
            "United_Kingdom/g3-tones.xml": b"<tones/>",
            "Desktops/320x212x12/List.xml": b"<CiscoIPPhoneImageList/>",
            ".git/config": b"x",
            "Thumbs.db": b"x",
            "old.xml.bak": b"x",
            "SEP001122334455.cnf.xml": b"<device/>",
        },
    )
    (root / "link.xml").symlink_to("/etc/passwd")
    dry = run("add_files", root, "--account", acme.voip_id, "--json", "--dry-run")
    assert (dry.status, paths(), on_disk(tmp_path / "shared-files")) == (0, [], [])
    ran = run("add_files", root, "--account", acme.voip_id, "--json")
    assert [(row["path"], row["outcome"]) for row in ran.rows] == [(row["path"], row["outcome"]) for row in dry.rows]
    assert {row["path"]: row["outcome"] for row in ran.rows} == {
        ".git/config": "left-out",
        "Desktops/320x212x12/List.xml": "added",
        "Ringlist.xml": "added",
        "SEP001122334455.cnf.xml": "left-out",
        "Thumbs.db": "left-out",
        "United_Kingdom/g3-tones.xml": "added",
        "link.xml": "left-out",
        "old.xml.bak": "left-out",
    }
    assert paths(account=acme) == ["Desktops/320x212x12/List.xml", "Ringlist.xml", "United_Kingdom/g3-tones.xml"]
    (root / "Ringlist.xml").write_bytes(RINGS + b"\n")
    again = {row["path"]: row["outcome"] for row in run("add_files", root, "--account", acme.voip_id, "--json").rows}
    assert (again["Ringlist.xml"], again["United_Kingdom/g3-tones.xml"]) == ("replaced", "unchanged")


def test_an_archive_goes_into_a_folder_and_to_one_phone(tmp_path, acme):
    phone = Phone.objects.create(account=acme, mac="001122334455", model="8851")
    package = sets.as_zip({"mk-sip.jar": b"PK\x03\x04jar", "tones/g3-tones.xml": b"<tones/>"}, tmp_path / "locale.zip")
    ran = run("add_files", package, "--into", "German_Germany", "--phone", "00:11:22:33:44:55")
    assert ran.status == 0
    assert "2 added." in ran.out
    assert paths(account=acme, phone=phone) == ["German_Germany/mk-sip.jar", "German_Germany/tones/g3-tones.xml"]


def claims_2_gb() -> bytes:
    content = bytearray(sets.zip_of(("Ringlist.xml", b"x" * 10)))
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 2**31 - 1)
    return bytes(content)


GOOD = ("Ringlist.xml", RINGS)
HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("up", lambda: sets.zip_of(GOOD, ("../a.xml", b"x")), "leads out of it"),
    ("absolute", lambda: sets.zip_of(GOOD, ("/etc/a.xml", b"x")), "leads out of it"),
    ("link", lambda: sets.zip_of(GOOD, ("a.xml", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777), "is a link"),
    (
        "bomb",
        lambda: sets.zip_of(GOOD, ("a.raw", bytes(30_000_000)), method=zipfile.ZIP_DEFLATED),
        "Too much comes out",
    ),
    ("2 GB", claims_2_gb, "Too much comes out"),
    ("encrypted", sets.encrypted_zip, "is encrypted"),
    ("damaged", lambda: sets.zip_of(GOOD, ("a.xml", b"x" * 99))[:-30], "is damaged"),
    ("twice", lambda: sets.zip_of(GOOD, ("ringlist.xml", b"x")), "another file at this path"),
    ("too deep", lambda: sets.zip_of(GOOD, ("a/b/c/d.xml", b"x")), "at most two folders"),
    ("nothing in it", lambda: sets.zip_of((".hidden", b"x")), "no file in it"),
    ("no archive", lambda: b"hello", "neither a ZIP nor a tar.gz"),
]


@pytest.mark.parametrize(("make", "words"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_of_a_hostile_archive_nothing_is_left(make, words, tmp_path, folder):
    (tmp_path / "hostile.zip").write_bytes(make())
    ran = run("add_files", tmp_path / "hostile.zip")
    assert ran.status == 1
    assert words in ran.err
    assert (paths(), on_disk(folder)) == ([], [])


def test_of_many_files_none_is_stored_when_one_is_bad(tmp_path, folder):
    tree(tmp_path, {"a.xml": b"x", "ä.xml": b"x"})
    ran = run("add_files", tmp_path / "a.xml", tmp_path / "ä.xml")
    assert (ran.status, paths(), on_disk(folder)) == (1, [], [])
    assert "ä.xml: A name" in ran.err


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(disk, "LEAST_BYTES", 2**60)
    ran = run("add_files", tree(tmp_path / "in", {"a.xml": b"x"}))
    assert (ran.status, on_disk(folder)) == (1, [])
    assert "disk of the portal is full" in ran.err


def test_a_process_that_is_killed_in_the_middle_leaves_no_content(folder):
    """What it was writing is not under the name of a content, and is swept."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - ends by the signal

        def pieces():
            yield b"half"
            os.write(writer, b"x")
            signal.pause()

        store.store(pieces())
        os._exit(1)
    os.read(reader, 1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    [half] = on_disk(folder)
    assert half.endswith(".part")
    os.utime(folder / half, (0, 0))
    assert store.sweep(lambda names: set(names)) == 1


def test_a_large_file_is_never_held_in_memory(tmp_path):
    """60 MB, as a load has, go through in pieces: the process grows by less than a tenth of it."""
    import resource

    big = tmp_path / "kern.sebn"
    with big.open("wb") as file:
        for _ in range(60):
            file.write(os.urandom(1) * 2**20)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with big.open("rb") as file, store.Staging() as staging:
            for _path, pieces, _among in intake._walk([intake.Incoming(big.name, file)], intake.IntakeTarget(), print):
                staging.write(pieces)
        os.write(writer, str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 20)) < 6_000
