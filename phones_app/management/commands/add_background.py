"""`manage.py add_background`: backgrounds for phones, each picture in all their sizes."""

from collections.abc import Sequence
from pathlib import Path

from contacts_app.core.commands import Add
from phones_app.management.media import MediaCommand
from phones_app.shared_files.media import FilesOwner, add_background, stem_of
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.companions.background import LARGEST_UPLOAD


class Command(MediaCommand):
    help = (
        "Make backgrounds of PNG, JPEG, GIF, BMP or WebP files, in the size of each screen, and put them into the lists "
        "that phones read. Each is named after its file. One that is there already under this name is replaced."
    )
    largest = LARGEST_UPLOAD

    def arguments(self, add: Add) -> None:
        super().arguments(add)
        text = "Show all of a picture, with black beside it. Default: its middle fills the screen."
        add("--whole", action="store_true", dest="adapts", help=text)

    def name_of(self, path: Path) -> str:
        return stem_of(path.stem)

    def make(self, owner: FilesOwner, name: str, content: bytes, adapts: bool) -> Sequence[SharedFile]:
        return add_background(owner, name, content, whole=adapts)
