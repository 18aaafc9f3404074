"""Ring tones and backgrounds as shared files: what phones are given afterwards (boot server spec §11.5)."""

from io import BytesIO

import numpy
import pytest
import soundfile
from PIL import Image

from contacts_app.core.errors import Refusal
from phones_app.shared_files import services, store
from phones_app.shared_files.media import (
    FilesOwner,
    add_background,
    add_ring_tone,
    backgrounds_of,
    entries_of,
    order_backgrounds,
    remove_background,
    remove_ring_tone,
)
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.companions.background import screen_sizes
from profiles_app.phone.companions.lists import IMAGES, RINGS
from tests.commands import run

pytestmark = pytest.mark.django_db
EVERYBODY = FilesOwner()


def sound(seconds=1.0, hertz=440):
    out = BytesIO()
    times = numpy.arange(int(seconds * 8_000)) / 8_000
    soundfile.write(out, (0.5 * numpy.sin(2 * numpy.pi * hertz * times)).astype("float32"), 8_000, format="WAV")
    return out.getvalue()


@pytest.fixture(scope="module")
def picture():
    out = BytesIO()
    Image.linear_gradient("L").save(out, "PNG")
    return out.getvalue()


def text_of(path, **owner):
    row = SharedFile.objects.get(path=path, **owner)
    with store.read(row.sha256) as file:
        return file.read().decode()


def put(path, content, **more):
    return services.put(path, store.store([content]), **more)


def test_a_ring_tone_is_made_for_all_phones_and_listed(acme):
    put("Ringlist.xml", b"<CiscoIPPhoneRingList>\n  <!-- hers -->\n</CiscoIPPhoneRingList>")
    made = {row.path: row for row in add_ring_tone(EVERYBODY, "Old bell", sound())}
    assert {path: row.kind for path, row in made.items()} == {
        "Old-bell.raw": "ring-tone",
        "Old-bell.rwb": "ring-tone",
        "Ringlist.xml": "ring-list",
        "Ringlist-wb.xml": "ring-list",
    }
    assert (made["Old-bell.raw"].size, made["Old-bell.rwb"].size) == (8_160, 32_160)
    assert "<!-- hers -->" in text_of("Ringlist.xml")
    assert [(entry.name, entry.file) for entry in entries_of(EVERYBODY, RINGS, "Ringlist-wb.xml")] == [
        ("Old bell", "Old-bell.rwb")
    ]


def test_an_accounts_own_list_begins_with_what_its_phones_had(acme):
    add_ring_tone(EVERYBODY, "Old bell", sound())
    add_ring_tone(FilesOwner(acme), "Jingle", sound())
    assert [entry.name for entry in entries_of(FilesOwner(acme), RINGS, "Ringlist.xml")] == ["Old bell", "Jingle"]
    assert [entry.name for entry in entries_of(EVERYBODY, RINGS, "Ringlist.xml")] == ["Old bell"]
    remove_ring_tone(FilesOwner(acme), "Ringlist.xml", "Old-bell.raw")
    assert SharedFile.objects.filter(path="Old-bell.raw", account=None).exists(), "it is everybody's"
    remove_ring_tone(FilesOwner(acme), "Ringlist.xml", "Jingle.raw")
    assert not SharedFile.objects.filter(path="Jingle.raw").exists()
    assert SharedFile.objects.filter(path="Jingle.rwb").exists(), "the other list has it"


@pytest.mark.parametrize(
    ("name", "seconds", "more", "code"),
    [
        ("Long", 3, {}, "bad-length"),
        ("N" * 26, 1, {}, "bad-name"),
        ("Short", 0.01, {"cut": True}, "bad-length"),
        ("Bad", 1, {"stem": "../x"}, "bad-file-name"),
    ],
)
def test_what_phones_would_not_play_is_refused_and_nothing_is_stored(name, seconds, more, code):
    with pytest.raises(Refusal) as refused:
        add_ring_tone(EVERYBODY, name, sound(seconds), **more)
    assert refused.value.code == code
    assert not SharedFile.objects.exists()


def test_a_full_or_spoilt_list_refuses_all_of_it():
    put("Ringlist.xml", b"<CiscoIPPhoneRingList><Ring>")
    with pytest.raises(Refusal, match=r"Ringlist\.xml: This is no XML"):
        add_ring_tone(EVERYBODY, "Old bell", sound())
    full = "".join(f"<Ring><DisplayName>{n}</DisplayName><FileName>{n}.raw</FileName></Ring>" for n in range(50))
    put("Ringlist.xml", f"<CiscoIPPhoneRingList>{full}</CiscoIPPhoneRingList>".encode())
    with pytest.raises(Refusal, match="50 entries"):
        add_ring_tone(EVERYBODY, "Old bell", sound())
    assert not SharedFile.objects.filter(kind="ring-tone").exists()


def test_a_background_is_there_in_every_size_until_it_is_deleted(acme, picture, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        add_background(EVERYBODY, "hills", picture)
    add_background(FilesOwner(acme), "lake", picture)
    order_backgrounds(FilesOwner(acme), ["lake", "hills"])
    assert list(backgrounds_of(FilesOwner(acme))) == ["lake", "hills"]
    assert [size.folder for size, _row in backgrounds_of(EVERYBODY)["hills"]] == [
        size.folder for size in screen_sizes()
    ]
    (entry,) = entries_of(EVERYBODY, IMAGES, "Desktops/320x212x16/List.xml")
    assert (entry.file, entry.preview) == (
        "TFTP:Desktops/320x212x16/hills.png",
        "TFTP:Desktops/320x212x16/TN-hills.png",
    )
    remove_background(FilesOwner(acme), "lake")
    assert not SharedFile.objects.filter(path__contains="lake").exists()
    assert list(backgrounds_of(FilesOwner(acme))) == ["hills"]


def test_many_files_are_added_by_commands_each_by_itself(acme, tmp_path, picture):
    (tmp_path / "old_bell.wav").write_bytes(sound())
    (tmp_path / "no.wav").write_bytes(b"text")
    (tmp_path / "hills.png").write_bytes(picture)
    ran = run("add_ring_tone", tmp_path / "old_bell.wav", tmp_path / "no.wav", "--account", acme.voip_id, "--json")
    assert (ran.status, ran.err) == (1, "1 of 2 files were refused.\n")
    assert [(row["name"], row["result"]) for row in ran.rows] == [("old bell", "stored"), ("no", "refused")]
    assert SharedFile.objects.get(path="old-bell.raw").account == acme
    tried = run("add_background", tmp_path / "hills.png", "--dry-run", "--json")
    assert (tried.status, tried.rows[0]["result"]) == (0, "would be stored")
    assert not SharedFile.objects.filter(kind="background").exists()
    assert run("add_background", tmp_path / "hills.png", "--whole").status == 0
    assert list(backgrounds_of(EVERYBODY)) == ["hills"]
    assert (
        run("add_background", tmp_path / "nothing.png").err
        == f"{tmp_path}/nothing.png cannot be read: No such file or directory.\n"
    )
