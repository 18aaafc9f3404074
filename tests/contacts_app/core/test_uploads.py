"""Files out of a browser: several or an archive of them, whatever somebody has made of that archive."""

import random
import struct
import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from contacts_app.core.errors import Refusal
from contacts_app.core.uploads import NamedBytes, UploadLimits, as_archive, read_archive, read_uploads

LIMITS = UploadLimits(files=5, each=1000, together=3000)


def archive(*entries, method=zipfile.ZIP_DEFLATED) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", method) as opened:
        for name, content in entries:
            opened.writestr(name, content)
    return made.getvalue()


def read(*contents) -> list[tuple[str, bytes]]:
    uploads = [SimpleUploadedFile(f"{number}.xml", content) for number, content in enumerate(contents)]
    return [tuple(one) for one in read_uploads(uploads, LIMITS)]


def refusal(*contents) -> str:
    with pytest.raises(Refusal) as refused:
        read(*contents)
    return refused.value.code


def test_files_and_archives_come_as_names_and_bytes():
    packed = archive(("phones/SEP1.cnf.xml", b"<a/>"), ("__MACOSX/SEP1", b"x"), ("phones/.DS_Store", b"x"), ("d/", b""))
    assert read(b"<plain/>", packed) == [("0.xml", b"<plain/>"), ("phones/SEP1.cnf.xml", b"<a/>")]
    assert [one.base for one in read_archive(packed, LIMITS)] == ["SEP1.cnf.xml"]


def test_names_lead_nowhere_and_stand_on_one_line():
    names = [name for name, _ in read(archive(("..\\..\\etc/pass\nwd", b"x"), ("a" * 400, b"x")))]
    assert names == ["../../etc/pass?wd", "a" * 255]


def test_large_file_comes_cut_and_the_others_whole():
    sizes = [len(content) for _, content in read(archive(("a", bytes(500_000)), ("b", b"<b/>")), bytes(2000)[:900])]
    assert sizes == [1001, 4, 900]


def test_limits_hold_for_what_comes_out():
    assert refusal(archive(*((f"{number}", b"x") for number in range(6)))) == "too-many-files"
    assert refusal(*[b"x"] * 6) == "too-many-files"
    assert refusal(archive(*((f"{number}", bytes(999)) for number in range(4)))) == "too-large"


def test_archive_that_lies_about_its_sizes_is_no_way_round():
    packed = bytearray(archive(("a", bytes(500_000))))
    place = packed.index(b"PK\x01\x02")
    struct.pack_into("<L", packed, place + 24, 10)
    assert refusal(bytes(packed)) == "bad-archive"


def test_what_cannot_be_read_is_refused():
    locked = bytearray(archive(("a", b"secret")))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + offset] |= 1
    assert refusal(bytes(locked)) == "encrypted-archive"
    assert refusal(archive(("a", b"x"), method=zipfile.ZIP_LZMA)) == "bad-archive"
    assert refusal(archive(("a", b"x"))[:-10]) == "bad-archive"


def test_spoilt_archives_are_refused_or_read_and_nothing_else():
    good, dice = archive(("a", b"x" * 500), ("b", b"y")), random.Random(16)
    for _ in range(1000):
        spoilt = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            spoilt[dice.randrange(4, len(spoilt))] = dice.randrange(256)
        with suppress(Refusal):
            assert all(len(content) <= 1001 for _, content in read(bytes(spoilt)))


def test_kept_files_come_back_and_the_same_name_twice():
    files = [NamedBytes("SEP1.cnf.xml", b"<a/>"), NamedBytes("SEP1.cnf.xml", b"<b/>")]
    back = list(read_archive(as_archive(files), LIMITS))
    assert [(one.base, one.content) for one in back] == [("SEP1.cnf.xml", b"<a/>"), ("SEP1.cnf.xml", b"<b/>")]
