"""Contents of shared files on disk: whole or not there, and deleted when no row names them."""

import os
import time
from collections.abc import Iterator

import pytest

from phones_app.shared_files import store


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"
    return settings.SHARED_FILES_DIR


def broken() -> Iterator[bytes]:
    yield b"half"
    raise ConnectionResetError


def test_a_content_is_stored_once_and_read_back(folder):
    written: list[int] = []
    first = store.store(iter([b"abc", b"def"]), written.append)
    assert store.store([b"abcdef"]) == first
    assert written == [3, 6]
    with store.read(first.sha256) as file:
        assert b"".join(store.pieces(file)) == b"abcdef"
    assert [each.name for each in folder.rglob("*") if each.is_file()] == [first.sha256]


def test_of_an_upload_that_broke_off_nothing_stays(folder):
    with pytest.raises(ConnectionResetError):
        store.store(broken())
    assert [each for each in folder.rglob("*") if each.is_file()] == []


def test_what_no_row_names_is_deleted_when_it_is_an_hour_old(folder):
    used, unused, young = (store.store([content]).sha256 for content in (b"used", b"unused", b"young"))
    half = folder / ".0123.part"
    half.write_bytes(b"of a process that was killed")
    old = time.time() - store.YOUNG_SECONDS - 1
    for place in (store.place_of(used), store.place_of(unused), half):
        os.utime(place, (old, old))
    assert store.sweep(lambda names: {used} & set(names)) == 2
    assert {each.name for each in folder.rglob("*") if each.is_file()} == {used, young}


def test_what_is_stored_again_while_rows_are_looked_for_stays(folder):
    again = store.store([b"again"]).sha256
    old = time.time() - store.YOUNG_SECONDS - 1
    os.utime(store.place_of(again), (old, old))

    def is_used(names: list[str]) -> set[str]:
        assert names == [again]
        store.store([b"again"])  # its row is not committed yet
        return set()

    assert store.sweep(is_used) == 0
    assert store.place_of(again).exists()
