"""`manage.py add_ring_tone`: ring tones for phones, made of sound files."""

import re
from collections.abc import Sequence
from pathlib import Path

from contacts_app.core.commands import Add
from phones_app.management.media import MediaCommand
from phones_app.shared_files.media import FilesOwner, add_ring_tone
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.companions.lists import LONGEST_NAME
from profiles_app.phone.companions.ring_tone import LARGEST_UPLOAD


class Command(MediaCommand):
    help = (
        "Make ring tones of WAV, MP3, FLAC, Ogg Vorbis or AIFF files, and put them into the lists that phones read. Each "
        "is named after its file. One that is there already under this name is replaced."
    )
    largest = LARGEST_UPLOAD

    def arguments(self, add: Add) -> None:
        super().arguments(add)
        add(
            "--cut",
            action="store_true",
            dest="adapts",
            help="Cut what is too long: 2 seconds on 79xx, 10 on 78xx/88xx.",
        )

    def name_of(self, path: Path) -> str:
        return re.sub(r"[\W_]+", " ", path.stem).strip()[:LONGEST_NAME].strip()

    def make(self, owner: FilesOwner, name: str, content: bytes, adapts: bool) -> Sequence[SharedFile]:
        return add_ring_tone(owner, name, content, cut=adapts)
