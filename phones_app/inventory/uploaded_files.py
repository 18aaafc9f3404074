"""Phones' files out of a browser: kept until somebody has seen what they would become, then imported a few at a time.

A step tells of as many files as fit into its time, so that a page can show how far it is. Each file is stored on its own:
whoever leaves in the middle finds the rest where they left it.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO

from django.core.files.uploadedfile import UploadedFile

from contacts_app.core.actor import Actor
from contacts_app.core.csv.importing import keep_upload
from contacts_app.core.csv.models import UploadedCsv
from contacts_app.core.errors import Refusal
from contacts_app.core.uploads import KeptArchive, UploadLimits, as_archive, read_uploads
from contacts_app.people.models import User
from phones_app.inventory.import_folder import Imported, ImportResult, ImportTarget, import_file
from profiles_app.phone import sep

KIND = "phone-files"
LIMITS = UploadLimits(files=5000, each=sep.MAX_BYTES, together=128 * 1024**2)
STEP_SECONDS = 1.0


@dataclass
class ImportStep:
    """What became of some files; `next` is where the next step begins, None at the end."""

    total: int
    done: list[Imported] = field(default_factory=list)
    next: int | None = None


def keep_files(user: User, uploads: "Iterable[UploadedFile[bytes]]") -> UploadedCsv:
    """Keep what a person has uploaded, in place of what they had uploaded before. Raises Refusal."""
    files = list(read_uploads(uploads, LIMITS))
    if not files:
        raise Refusal("no-files", "There is no file in it.")
    name = files[0].base if len(files) == 1 else f"{len(files)} files"
    return keep_upload(user=user, kind=KIND, name=name, file=BytesIO(as_archive(files)))


def import_step(
    kept: UploadedCsv,
    start: int,
    *,
    destination: ImportTarget,
    actor: Actor,
    dry_run: bool,
    seconds: float = STEP_SECONDS,
) -> ImportStep:
    """Import the kept files from `start` on, for so long; at least one. A dry run stores nothing."""
    archive = KeptArchive(bytes(kept.content))
    step, end = ImportStep(len(archive.names)), time.monotonic() + seconds
    first: dict[tuple[str, str] | None, str] = {}
    for name in archive.names:
        first.setdefault(_phone_of(name), name)
    for place in range(start, step.total):
        if step.done and time.monotonic() > end:
            step.next = place
            break
        name = archive.names[place]
        of_phone = _phone_of(name)
        if of_phone is not None and first[of_phone] != name:
            why = f"There is another file of this phone: {first[of_phone]}. Upload one of them."
            step.done.append(Imported(name, ImportResult.REFUSED, code="twice", reason=why))
            continue
        step.done.append(import_file(archive.read(name), destination=destination, actor=actor, dry_run=dry_run))
    return step


def _phone_of(name: str) -> tuple[str, str] | None:
    """A phone that changed its firmware may have a file of each format."""
    return sep.named(name.rpartition("/")[2])
