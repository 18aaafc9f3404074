"""What a form with files may take of the disk, by who sends it."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts_app.core import disk, uploads
from tests.admin_people import at_desk

pytestmark = pytest.mark.django_db
ADD = "admin:phones_app_firmware_package"


@pytest.fixture
def chosen(monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES_OF_STRANGERS", 5_000)
    return lambda size: {"chosen": [SimpleUploadedFile("a.zip", b"x" * size)]}


def test_who_has_not_logged_in_fills_no_disk(client, root, chosen, monkeypatch):
    stored = []
    monkeypatch.setattr(uploads, "TemporaryFile", lambda **_: stored.append(1) or BytesIO())
    assert client.post(reverse("admin:login"), chosen(5_000)).status_code == 400
    assert client.post(reverse(ADD), chosen(5_000)).status_code in (302, 400)
    assert not stored
    assert client.post(reverse("admin:login"), chosen(1_000)).status_code == 200
    assert b"neither a folder, a ZIP" in at_desk(root).post(reverse(ADD), chosen(5_000)).content
    assert stored


def test_no_more_is_stored_than_there_is_room_for(root, chosen, monkeypatch):
    monkeypatch.setattr(uploads, "room", lambda: disk.Room(free=0, size=1))
    assert at_desk(root).post(reverse(ADD), chosen(100)).status_code == 400
