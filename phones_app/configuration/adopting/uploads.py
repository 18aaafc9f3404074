"""An archive of files to adopt, from its upload until it is confirmed: encrypted, and its person's alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from django.core.files.uploadedfile import UploadedFile

from contacts_app.core.csv.importing import keep_upload
from contacts_app.core.csv.models import UploadedCsv
from contacts_app.core.errors import Refusal
from contacts_app.core.uploads import NamedBytes, UploadLimits, as_archive, read_archive, read_uploads
from contacts_app.people.models import User
from phones_app.configuration.adopting.places import PhonePlace, read_places
from profiles_app.phone import sep

KIND = "adopt"
# A page does it in one request. More files are for the command.
LIMITS = UploadLimits(files=1000, each=sep.MAX_BYTES, together=64 * 1024**2)
PLACES = "places.csv"


@dataclass(frozen=True)
class KeptFiles:
    """The files of an upload, and what the CSV file among them says of their phones."""

    files: list[NamedBytes]
    places: dict[str, PhonePlace]


def keep_files(
    user: User, uploads: "Iterable[UploadedFile[bytes]]", places: "UploadedFile[bytes] | None"
) -> UploadedCsv:
    """Keep what a person has uploaded, in place of what was there before. Raises Refusal."""
    uploads = list(uploads)
    files = list(read_uploads(uploads, LIMITS))
    if places is not None:
        files = [file for file in files if file.base != PLACES]
        files.append(NamedBytes(PLACES, places.read(LIMITS.each + 1)))
    read = _sorted(files)
    if not read.files:
        raise Refusal("no-files", "There is no file in it.")
    return keep_upload(user=user, kind=KIND, name=uploads[0].name or "", file=BytesIO(as_archive(files)))


def read_kept(kept: UploadedCsv) -> KeptFiles:
    """Raises Refusal."""
    return _sorted(list(read_archive(bytes(kept.content), LIMITS)))


def _sorted(files: list[NamedBytes]) -> KeptFiles:
    places: dict[str, PhonePlace] = {}
    for file in files:
        if file.base == PLACES:
            if len(file.content) > LIMITS.each:
                raise Refusal("too-large", f"{PLACES} is larger than {LIMITS.each // 1024} KB.")
            places |= read_places(BytesIO(file.content))
    return KeptFiles([file for file in files if file.base != PLACES], places)
