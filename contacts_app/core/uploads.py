"""Files that a person hands over in a browser: one, several, or a ZIP archive of them, as pairs of name and bytes.

Nothing is unpacked to a disk, so that no name in an archive leads anywhere. What is counted is what really comes out of
an archive and not what its directory says, so that a small archive cannot become a huge one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParserError

from contacts_app.core.archives import DAMAGED, EMPTY_ZIP, ZIP, ensure_readable_entry, is_litter
from contacts_app.core.disk import room
from contacts_app.core.errors import Refusal

LONGEST_NAME = 255


@dataclass(frozen=True)
class UploadLimits:
    """How many files, how large each, and how large all of them together, unpacked."""

    files: int
    each: int
    together: int


class WholeBody:
    """The body of a form, of which a parser takes whatever has come for the whole, also when its sender has gone."""

    def __init__(self, body: IO[bytes], announced: int) -> None:
        self._body, self._left = body, announced

    def read(self, size: int = -1) -> bytes:
        content = self._body.read(size)
        self._left -= len(content)
        return content

    def ensure_whole(self) -> None:
        if self._left > 0:
            raise MultiPartParserError("The body ended before its announced length.")


class NamedBytes(NamedTuple):
    """One file. `name` has the folders of an archive in front of it; it is to be shown, and never to be opened."""

    name: str
    content: bytes

    @property
    def base(self) -> str:
        return self.name.rpartition("/")[2]


def read_uploads(uploads: "Iterable[UploadedFile[bytes]]", limits: UploadLimits) -> Iterator[NamedBytes]:
    """What was uploaded, archives unpacked, in the order in which it came.

    A file larger than `limits.each` is cut one byte above the limit, so that its reader refuses it by its length while
    the other files are read. Raises Refusal for archives that are damaged, encrypted or of another method, for
    too many files, and for too much of them.
    """
    budget = _Budget(limits)
    for upload in uploads:
        upload.seek(0)
        head = upload.read(len(ZIP))
        upload.seek(0)
        if head in (ZIP, EMPTY_ZIP):
            yield from _unpacked(upload, budget)
        else:
            yield budget.count(_clean(upload.name or ""), upload.read(limits.each + 1))


def read_archive(content: bytes, limits: UploadLimits) -> Iterator[NamedBytes]:
    """The same of an archive that was kept. Raises Refusal."""
    return _unpacked(BytesIO(content), _Budget(limits))


class KeptArchive:
    """What `as_archive` has made, read a part at a time."""

    def __init__(self, content: bytes) -> None:
        self._archive = ZipFile(BytesIO(content))
        self.names = self._archive.namelist()

    def read(self, name: str) -> NamedBytes:
        return NamedBytes(name, self._archive.read(name))


def as_archive(files: Iterable[NamedBytes]) -> bytes:
    """Files as one archive, to be kept until somebody has looked at them. A name that comes again gets a folder."""
    kept, names = BytesIO(), set[str]()
    with ZipFile(kept, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for number, (name, content) in enumerate(files, start=1):
            name = f"{number}/{name}" if name in names else name
            names.add(name)
            archive.writestr(ZipInfo(name), content, ZIP_DEFLATED, 1)
    return kept.getvalue()


# More than any page or route takes, however it was packed.
MOST_BYTES = 2 * 1024**3
# Of who has not logged in: a form is read before anybody asks who has sent it.
MOST_BYTES_OF_STRANGERS = 2_621_440


class OnDisk(FileUploadHandler):
    """Has what is uploaded on the disk from its first byte, in files that have no name: none of it is held in memory, and
    a process that is killed leaves nothing behind.
    """

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:
        user = getattr(self.request, "user", None)
        is_known = user is not None and user.is_authenticated
        if content_length > (MOST_BYTES if is_known else MOST_BYTES_OF_STRANGERS):
            raise RequestDataTooBig("The files are too large together.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = TemporaryFile(dir=settings.DATA_DIR)  # noqa: SIM115 - it goes with the request

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if room().is_too_little:
            raise RequestDataTooBig("The disk of the portal is full.")
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        self.file.seek(0)
        return UploadedFile(
            self.file, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra
        )


class _Budget:
    """What is left of the limits."""

    def __init__(self, limits: UploadLimits) -> None:
        self.limits, self.files, self.size = limits, 0, 0

    def count(self, name: str, content: bytes) -> NamedBytes:
        self.files, self.size = self.files + 1, self.size + len(content)
        if self.files > self.limits.files:
            raise Refusal("too-many-files", f"These are more than {self.limits.files:,} files. Upload them in parts.")
        if self.size > self.limits.together:
            most = self.limits.together // 1024**2
            raise Refusal("too-large", f"These files are larger than {most} MB together. Upload them in parts.")
        return NamedBytes(name, content)


def _unpacked(file: IO[bytes], budget: _Budget) -> Iterator[NamedBytes]:
    name = ""
    try:
        with ZipFile(file) as archive:
            for entry in archive.infolist():
                name = _clean(entry.filename)
                if entry.is_dir() or is_litter(name):
                    continue
                yield budget.count(name, _content(archive, entry, name, budget.limits.each))
    except DAMAGED as error:
        where = f" at {name}" if name else ""
        raise Refusal("bad-archive", f"The ZIP archive is damaged{where}: {error}") from None


def _content(archive: ZipFile, entry: ZipInfo, name: str, most: int) -> bytes:
    ensure_readable_entry(entry, name)
    with archive.open(entry) as opened:
        return opened.read(most + 1)


def _clean(name: str) -> str:
    """A name to be shown, on one line, with `/` between folders."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name.replace("\\", "/"))
    return shown[-LONGEST_NAME:]
